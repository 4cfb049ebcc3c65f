from my_method import MyMethod

from harness.testing import parametrize_with_laws


@parametrize_with_laws(MyMethod())
def test_it_keeps_the_laws_of_its_kind(component, law):
    law(component)
