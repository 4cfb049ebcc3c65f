import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.metrics.jaccard import best_match_jaccard
from harness.metrics.stability import RELABELLINGS, adjusted_jaccard, cluster_stabilities

labels = st.lists(st.integers(-1, 4), min_size=12, max_size=12).map(np.array)


@given(labels)
def test_a_partition_has_similarity_one_to_itself(partition: np.ndarray) -> None:
    found = adjusted_jaccard(partition, partition)

    assert math.isnan(found) or found == pytest.approx(1.0)


@given(labels, labels, st.permutations(range(12)))
def test_the_order_of_nodes_does_not_matter(
    first: np.ndarray, second: np.ndarray, order: list[int]
) -> None:
    found = adjusted_jaccard(first, second)

    assert adjusted_jaccard(first[order], second[order]) == pytest.approx(found, nan_ok=True)


@settings(max_examples=20, deadline=None)
@given(labels, labels, st.integers(0, 2**32 - 1))
def test_chance_is_the_mean_over_relabellings_that_keep_the_sizes(
    first: np.ndarray, second: np.ndarray, seed: int
) -> None:
    similarity = best_match_jaccard(first, second)
    adjusted = adjusted_jaccard(first, second)
    if math.isnan(similarity) or adjusted == 0 or similarity == 1:
        return
    random = np.random.default_rng(seed)
    drawn = np.array([best_match_jaccard(first, random.permutation(second)) for _ in range(2000)])

    # J = E + a (1 − E), so E = (J − a) / (1 − a).
    expected = (similarity - adjusted) / (1 - adjusted)
    assert expected == pytest.approx(drawn.mean(), abs=6 * drawn.std() / RELABELLINGS**0.5 + 1e-9)


def test_unrelated_partitions_have_similarity_zero_on_average() -> None:
    random = np.random.default_rng(0)
    found = [
        adjusted_jaccard(random.integers(0, 4, 200), random.integers(-1, 5, 200))
        for _ in range(100)
    ]

    assert np.mean(found) == pytest.approx(0, abs=0.01)


HALVES = np.arange(12) // 6


def test_a_trivial_reference_gives_nan() -> None:
    for trivial in (np.zeros(12, int), np.arange(12), np.full(12, -1)):
        assert math.isnan(adjusted_jaccard(trivial, HALVES))


def test_a_trivial_other_partition_gives_zero() -> None:
    for trivial in (np.zeros(12, int), np.arange(12), np.full(12, -1)):
        assert adjusted_jaccard(HALVES, trivial) == 0.0


def test_each_cluster_is_matched_with_its_best_by_hand() -> None:
    reference = np.array([0, 0, 0, 0, 1, 1, 1, -1, 2])
    others = [np.array([5, 5, 5, 1, 1, 1, 1, 2, 2]), np.array([0, 0, 0, 0, 1, 2, 3, 4, 5])]

    first, second = cluster_stabilities(reference, others)

    assert first == (0, 4, pytest.approx((3 / 4 + 1) / 2))
    assert second == (1, 3, pytest.approx((3 / 4 + 1 / 3) / 2))


def test_without_other_partitions_there_are_no_cluster_stabilities() -> None:
    assert cluster_stabilities(HALVES, []) == []


def test_partitions_of_different_nodes_are_refused() -> None:
    with pytest.raises(ValueError, match="partitions of 12 and of 5 nodes"):
        adjusted_jaccard(HALVES, np.zeros(5, int))
