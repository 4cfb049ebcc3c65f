import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import adjusted_mutual_info_score

from harness.metrics.information import adjusted_mutual_information
from harness.metrics.partition import unassigned_as_singletons

Labels = NDArray[np.int64]


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Labels, Labels]:
    """Two partitions of the same nodes as labels ≥ −1, trivial ones among them."""
    n = draw(st.integers(2, 20))
    labels = st.lists(st.integers(-1, 5), min_size=n, max_size=n)
    return np.array(draw(labels)), np.array(draw(labels))


@given(pairs())
def test_it_is_that_of_scikit_learn(pair: tuple[Labels, Labels]) -> None:
    first, second = map(unassigned_as_singletons, pair)
    # Of singletons beside singletons, scikit-learn divides rounding by rounding.
    alone = len(set(first)) == len(set(second)) == len(first)
    expected = 1.0 if alone else adjusted_mutual_info_score(first, second)

    assert adjusted_mutual_information(*pair) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("trivial", [[0, 0, 0, 0], [0, 1, 2, 3], [-1, -1, -1, -1]])
def test_a_trivial_partition_says_nothing_of_another(trivial: list[int]) -> None:
    other = np.array([0, 0, 1, 1])

    assert adjusted_mutual_information(np.array(trivial), other) == 0
    assert adjusted_mutual_information(np.array(trivial), np.array(trivial)) == 1


def test_it_is_that_of_scikit_learn_on_a_large_map() -> None:
    random = np.random.default_rng(0)
    first = random.integers(0, 8, 2304)
    second = np.where(random.random(2304) < 0.3, random.integers(0, 20, 2304), first)

    assert adjusted_mutual_information(first, second) == pytest.approx(
        adjusted_mutual_info_score(first, second), abs=1e-9
    )
