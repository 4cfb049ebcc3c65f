import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.metrics.reach import draws_for, reach
from harness.metrics.significance import false_discovery_rates, is_significant


@pytest.mark.parametrize(
    ("draws", "needed"),
    [
        ([48] * 64, 27),
        ([39] * 1, 1),
        ([19] * 10, 10),
        ([18] * 10, None),
        ([199] * 10, 1),
        ([999, *[19] * 9], 1),
        ([99] * 5 + [9] * 5, 2),
    ],
)
def test_so_many_tests_must_reach_the_smallest_p(draws: list[int], needed: int | None) -> None:
    assert reach(draws).needed == needed


@given(st.lists(st.integers(1, 120), min_size=1, max_size=40))
def test_one_test_fewer_is_not_enough(draws: list[int]) -> None:
    found = reach(draws)
    smallest = np.sort(1 / (np.array(draws) + 1))

    def found_if(reaching: int) -> bool:
        p_values = np.where(np.arange(len(draws)) < reaching, smallest, 1.0)
        return bool(is_significant(false_discovery_rates(p_values)).any())

    if found.needed is None:
        assert not found_if(len(draws))
    else:
        assert found_if(found.needed)
        assert not found_if(found.needed - 1)


@given(st.integers(1, 2000), st.integers(1, 2000))
def test_so_many_draws_are_enough_and_one_fewer_is_not(tests: int, reaching: int) -> None:
    assume(reaching <= tests)
    draws = draws_for(tests, reaching)

    enough = reach([draws] * tests).needed
    assert enough is not None
    assert enough <= reaching
    fewer = reach([draws - 1] * tests).needed
    assert fewer is None or fewer > reaching


def test_it_says_what_can_be_reached() -> None:
    assert str(reach([48] * 64)) == (
        "48 draws a test: p is at least .02, and q ≤ .05 takes 27 of 64 tests that reach it"
    )
    assert str(reach([8, 9])) == (
        "8 to 9 draws a test: p is at least .1, too large for q ≤ .05 even if all 2 tests reach it"
    )
    assert str(reach([1])) == "1 draw a test: p is at least .5, too large for q ≤ .05"
    assert str(reach([19])) == "19 draws a test: p is at least .05, small enough for q ≤ .05"
