"""The laws as tests of pytest."""

from typing import TYPE_CHECKING

from harness.plugin.component import Component
from harness.plugin.spec import format_spec
from harness.testing.law import laws_of

if TYPE_CHECKING:
    import pytest


def parametrize_with_laws(*components: Component) -> "pytest.MarkDecorator":
    """Return a decorator that makes a pytest test of every law of every component.

    The test function takes `component` and `law`. Laws are tested in the process of pytest, where
    `breakpoint()` opens the debugger.

    Parameters
    ----------
    components
        Components with the parameters to test.

    Returns
    -------
    pytest.MarkDecorator
        Parametrizes the test function.

    Examples
    --------
    >>> @harness.testing.parametrize_with_laws(harness.make("perturbation", "seeds"))
    ... def test_it_keeps_the_laws(component, law):
    ...     law(component)
    """
    import pytest

    return pytest.mark.parametrize(
        ("component", "law"),
        [
            pytest.param(component, law, id=f"{format_spec(component)}: {law.name}")
            for component in components
            for law in laws_of(component)
        ],
    )
