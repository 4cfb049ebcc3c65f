import math
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.metrics.jaccard import best_match_jaccard, best_match_jaccards

Labels = NDArray[np.int64]


@st.composite
def partition_pairs(draw: st.DrawFn) -> tuple[Labels, Labels]:
    """Two partitions of the same nodes as labels ≥ −1, neither of them trivial."""
    n = draw(st.integers(3, 15))
    labels = st.lists(st.integers(-1, 5), min_size=n, max_size=n)
    first, second = np.array(draw(labels)), np.array(draw(labels))
    assume(all(1 < len(clusters(partition)) < n for partition in (first, second)))
    return first, second


def clusters(labels: Labels) -> list[set[int]]:
    singletons = [{int(node)} for node in np.flatnonzero(labels == -1)]
    assigned = [set(np.flatnonzero(labels == label).tolist()) for label in set(labels) - {-1}]
    return singletons + assigned


def similarity_by_sets(first: Labels, second: Labels) -> Fraction:
    def one_way(clusters_of: list[set[int]], others: list[set[int]]) -> Fraction:
        return sum(
            (
                Fraction(len(one), len(first))
                * max(Fraction(len(one & other), len(one | other)) for other in others)
                for one in clusters_of
            ),
            Fraction(0),
        )

    first_clusters, second_clusters = clusters(first), clusters(second)
    return (one_way(first_clusters, second_clusters) + one_way(second_clusters, first_clusters)) / 2


@settings(max_examples=150)
@given(partition_pairs())
def test_similarity_equals_that_computed_from_sets(pair: tuple[Labels, Labels]) -> None:
    assert best_match_jaccard(*pair) == pytest.approx(float(similarity_by_sets(*pair)), abs=1e-12)


@given(partition_pairs())
def test_similarity_is_symmetric(pair: tuple[Labels, Labels]) -> None:
    first, second = pair
    assert best_match_jaccard(first, second) == best_match_jaccard(second, first)


@given(partition_pairs())
def test_similarity_is_one_under_renamed_labels(pair: tuple[Labels, Labels]) -> None:
    labels = pair[0]
    renamed = np.where(labels == -1, -1, 100 - labels)
    assert best_match_jaccard(labels, renamed) == 1.0


@given(partition_pairs(), st.randoms(use_true_random=False))
def test_the_order_of_the_nodes_does_not_matter(
    pair: tuple[Labels, Labels], random: Random
) -> None:
    first, second = pair
    order = list(range(len(first)))
    random.shuffle(order)
    assert best_match_jaccard(first[order], second[order]) == pytest.approx(
        best_match_jaccard(first, second), abs=1e-12
    )


def test_a_worked_example() -> None:
    # γ = 2/3 and 1/2 one way for {0,1}, {2,3}; 2/3 and 1/2 the other way for {0,1,2}, {3}.
    similarity = best_match_jaccard(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1]))
    assert similarity == pytest.approx(((2 * 2 / 3 + 2 / 2) / 4 + (3 * 2 / 3 + 1 / 2) / 4) / 2)


@pytest.mark.parametrize("trivial", [[0, 0, 0, 0], [0, 1, 2, 3], [-1, -1, -1, -1], [5, -1, -1, 7]])
def test_a_trivial_partition_gives_nan(trivial: list[int]) -> None:
    proper = np.array([0, 0, 1, 1])
    assert math.isnan(best_match_jaccard(np.array(trivial), proper))
    assert math.isnan(best_match_jaccard(proper, np.array(trivial)))
    assert math.isnan(best_match_jaccard(np.array(trivial), np.array(trivial)))


def test_partitions_of_different_nodes_are_refused() -> None:
    with pytest.raises(ValueError, match="3 and of 4 nodes"):
        best_match_jaccard(np.array([0, 0, 1]), np.array([0, 0, 1, 1]))


@given(
    st.integers(2, 12).flatmap(
        lambda n: st.lists(
            st.lists(st.integers(-1, 4), min_size=n, max_size=n), min_size=1, max_size=5
        )
    )
)
def test_many_partitions_give_the_same_values_as_pairs(drawn: list[list[int]]) -> None:
    partitions = [np.array(labels) for labels in drawn]
    expected = [[best_match_jaccard(one, other) for other in partitions] for one in partitions]

    assert best_match_jaccards(partitions) == pytest.approx(np.array(expected), nan_ok=True)
