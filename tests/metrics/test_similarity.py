import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import adjusted_mutual_info_score

from harness.metrics.jaccard import best_match_jaccard
from harness.metrics.partition import unassigned_as_singletons
from harness.metrics.similarity import (
    Comparable,
    adjusted_jaccards,
    adjusted_mutual_informations,
    between_groups,
)
from harness.metrics.stability import RELABELLINGS

Labels = NDArray[np.int64]


def is_trivial(labels: Labels) -> bool:
    return len(np.unique(unassigned_as_singletons(labels))) in (1, len(labels))


@st.composite
def partitions(draw: st.DrawFn) -> list[Labels]:
    """Two to four partitions of the same nodes as labels ≥ −1, none of them trivial."""
    n = draw(st.integers(3, 20))
    labels = st.lists(st.integers(-1, 5), min_size=n, max_size=n)
    found = [np.array(each) for each in draw(st.lists(labels, min_size=2, max_size=4))]
    assume(not any(map(is_trivial, found)))
    return found


@settings(max_examples=30)
@given(partitions())
def test_adjusted_mutual_information_is_that_of_scikit_learn(found: list[Labels]) -> None:
    whole = Comparable.of(found)
    expected = [
        [
            adjusted_mutual_info_score(unassigned_as_singletons(one), unassigned_as_singletons(two))
            for two in found
        ]
        for one in found
    ]
    assert adjusted_mutual_informations(whole, whole) == pytest.approx(np.array(expected))


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 2, 2]),
        ([0, 0, 1, 1, -1, -1], [0, 0, 0, 0, 1, 1]),
        ([0, 0, -1, -1, -1, -1], [-1, 0, 0, 0, -1, -1]),
    ],
)
def test_adjusted_jaccard_is_adjusted_by_the_mean_of_all_relabellings(
    first: list[int], second: list[int]
) -> None:
    one, two = np.array(first), np.array(second)
    by_chance = [
        best_match_jaccard(one, two[list(order)]) for order in itertools.permutations(range(6))
    ]
    mean, error = np.mean(by_chance), np.std(by_chance) / math.sqrt(RELABELLINGS)
    expected = (best_match_jaccard(one, two) - mean) / (1 - mean)

    whole = Comparable.of([one, two])
    found = adjusted_jaccards(whole, whole)[0, 1]
    assert found == pytest.approx(expected, abs=4 * error / (1 - mean))


@given(partitions())
def test_a_partition_has_similarity_one_to_itself(found: list[Labels]) -> None:
    whole = Comparable.of(found)
    for measure in (adjusted_mutual_informations, adjusted_jaccards):
        assert np.diag(measure(whole, whole)) == pytest.approx(1.0)


@given(partitions())
def test_parts_are_compared_as_in_the_whole(found: list[Labels]) -> None:
    whole = Comparable.of(found)
    for measure in (adjusted_mutual_informations, adjusted_jaccards):
        between = measure(whole.part(0, 1), whole.part(1, len(found)))
        assert between == pytest.approx(measure(whole, whole)[:1, 1:])


def test_independent_partitions_have_similarity_zero_on_average() -> None:
    random = np.random.default_rng(0)
    whole = Comparable.of(list(random.integers(0, 5, (20, 200))))
    for measure in (adjusted_mutual_informations, adjusted_jaccards):
        pairs = measure(whole, whole)[np.triu_indices(20, 1)]
        assert abs(pairs.mean()) < 0.02


@pytest.mark.parametrize("trivial", [[0, 0, 0, 0], [0, 1, 2, 3], [-1, -1, -1, -1]])
def test_a_trivial_partition_gives_nan(trivial: list[int]) -> None:
    whole = Comparable.of([np.array(trivial), np.array([0, 0, 1, 1])])
    for measure in (adjusted_mutual_informations, adjusted_jaccards):
        assert np.isnan(measure(whole, whole)).tolist() == [[True, True], [True, False]]


@given(st.lists(st.integers(0, 2), min_size=1, max_size=7), st.integers(0, 2**32 - 1))
def test_means_between_groups_are_over_pairs_of_different_things(
    groups: list[int], seed: int
) -> None:
    random = np.random.default_rng(seed)
    similarity = random.normal(size=(len(groups), len(groups)))
    similarity[random.random(similarity.shape) < 0.3] = np.nan
    found = between_groups(similarity, np.array(groups))
    for one, two in itertools.product(range(max(groups) + 1), repeat=2):
        values = [
            similarity[i, j]
            for i, j in itertools.permutations(range(len(groups)), 2)
            if (groups[i], groups[j]) == (one, two) and not np.isnan(similarity[i, j])
        ]
        expected = np.mean(values) if values else np.nan
        assert found[one, two] == pytest.approx(expected, nan_ok=True)
