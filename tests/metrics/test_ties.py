import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from harness.metrics.ties import difference, exceeds, merge_ties, ranks_of

INFINITE = math.inf


@pytest.mark.parametrize(
    ("first", "second", "larger"),
    [
        (0.3, 0.1 + 0.2, False),
        (0.1 + 0.2, 0.3, False),
        (1e-17, 0.0, False),
        (0.0, -4e-17, False),
        (0.31, 0.3, True),
        (1e-6, 0.0, True),
        (1e9 + 1e-3, 1e9, False),
        (1e9 + 1e3, 1e9, True),
        (0.3, 0.31, False),
        (INFINITE, 1.0, True),
        (1.0, -INFINITE, True),
        (INFINITE, INFINITE, False),
        (-INFINITE, -INFINITE, False),
        (math.nan, 0.0, False),
        (0.0, math.nan, False),
    ],
)
def test_a_figure_exceeds_another_if_it_is_larger_by_more_than_rounding(
    first: float, second: float, larger: bool
) -> None:
    assert bool(exceeds(first, second)) is larger
    assert not (larger and exceeds(second, first))


def test_a_difference_is_zero_exactly_where_figures_tie() -> None:
    found = difference([0.1 + 0.2, 0.5, math.nan], [0.3, 0.25, 1.0])

    assert found[:2].tolist() == [0.0, 0.25]
    assert math.isnan(found[2])


@given(st.lists(st.tuples(st.integers(-9, 9), st.floats(-1, 1)), min_size=1, max_size=40))
def test_what_differs_by_rounding_is_equal_afterwards_and_the_rest_keeps_its_order(
    steps: list[tuple[int, float]],
) -> None:
    exact = [step / 7 for step, _ in steps]
    merged = merge_ties([step / 7 + 1e-14 * noise for step, noise in steps])

    assert np.array_equal(
        np.sign(merged[:, None] - merged), np.sign(np.subtract.outer(exact, exact))
    )
    assert merged == pytest.approx(exact, abs=1e-13)


def test_columns_are_compared_each_on_its_own_and_nan_ties_with_nothing() -> None:
    merged = merge_ties([[0.3, math.nan], [0.1 + 0.2, INFINITE], [0.2, INFINITE]])

    assert merged[:, 0].tolist() == [0.3, 0.3, 0.2]
    assert math.isnan(merged[0, 1])
    assert merged[1:, 1].tolist() == [INFINITE, INFINITE]


def test_nothing_has_no_ties() -> None:
    assert merge_ties([]).tolist() == []


def test_ranks_are_those_of_scipy() -> None:
    random = np.random.default_rng(0)
    for shape in ((1,), (7,), (5, 9), (1, 3)):
        figures = random.integers(0, 4, shape)
        assert np.array_equal(ranks_of(figures), stats.rankdata(figures, axis=0))
