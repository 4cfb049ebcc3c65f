import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from harness.metrics.partition import (
    InvalidLabelsError,
    adjusted_rand_indices,
    check_labels,
    cluster_count,
    cluster_number,
    coverage,
    drop_singletons,
    in_order,
    numbered,
    unassigned_as_singletons,
)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.int32, np.uint64, np.int64])
def test_integers_of_any_type_become_int64(kind: type[np.integer]) -> None:
    checked = check_labels(np.array([0, 3, 3], dtype=kind), 3)
    assert checked.dtype == np.int64
    assert checked.tolist() == [0, 3, 3]


def test_checked_labels_are_a_copy() -> None:
    labels = np.array([0, 1, -1])
    checked = check_labels(labels, 3)
    labels[0] = 7
    assert checked.tolist() == [0, 1, -1]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1, 1], "numpy array, not list"),
        (None, "numpy array, not NoneType"),
        (np.array([0.0, 1.0, 1.0]), "integers, not float64"),
        (np.array([0, 1, 1], dtype=object), "integers, not object"),
        (np.array([False, True, True]), "integers, not bool"),
        (np.array([0, 1]), r"\(3,\), one a node, not \(2,\)"),
        (np.array([[0, 1, 1]]), r"\(3,\), one a node, not \(1, 3\)"),
        (np.array([0, -2, 1]), "node 1 has -2"),
        (np.array([0, 1, 2**64 - 1], dtype=np.uint64), "node 2 has 18446744073709551615"),
    ],
)
def test_invalid_labels_are_refused_with_the_reason(labels: object, message: str) -> None:
    with pytest.raises(InvalidLabelsError, match=message):
        check_labels(labels, 3)


def test_unassigned_nodes_become_clusters_of_their_own() -> None:
    labels = unassigned_as_singletons(np.array([7, -1, 2, 7, -1, 2]))
    assert labels.tolist() == [1, 2, 0, 1, 3, 0]


def test_all_unassigned_are_all_singletons() -> None:
    assert unassigned_as_singletons(np.array([-1, -1, -1])).tolist() == [0, 1, 2]


def test_huge_labels_become_contiguous() -> None:
    assert unassigned_as_singletons(np.array([10**15, 0, 10**15])).tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("labels", "count"),
    [([0, 0, 1, 1], 2), ([0, 0, 1, 2], 1), ([-1, -1, -1, 5], 0), ([9, 9, -1, -1], 1)],
)
def test_only_clusters_of_two_nodes_or_more_are_counted(labels: list[int], count: int) -> None:
    assert cluster_count(np.array(labels)) == count


def test_coverage_is_the_fraction_of_assigned_nodes() -> None:
    assert coverage(np.array([0, -1, 2, -1])) == 0.5


def test_a_cluster_of_one_node_becomes_unassigned() -> None:
    labels = np.array([7, 7, 3, -1, 5, 5, 5])

    assert drop_singletons(labels).tolist() == [7, 7, -1, -1, 5, 5, 5]
    assert drop_singletons(np.array([-1])).tolist() == [-1]


@given(st.lists(st.integers(-1, 6), min_size=1, max_size=30), st.permutations(range(7)))
def test_equal_partitions_have_equal_numbers_whatever_their_labels_are(
    labels: list[int], names: list[int]
) -> None:
    others = [label if label < 0 else names[label] for label in labels]
    numbers = numbered(np.array(labels))

    assert numbered(np.array(others)).tolist() == numbers.tolist()
    assert numbered(numbers).tolist() == numbers.tolist()
    sizes = [int((numbers == number).sum()) for number in range(1, numbers.max(initial=0) + 1)]
    assert sizes == sorted(sizes, reverse=True)


def test_adjusted_rand_indices_are_those_of_scikit_learn_to_the_last_digit() -> None:
    random = np.random.default_rng(0)
    for n, clusters in ((1, 1), (5, 2), (30, 4), (196, 9)):
        communities = random.integers(0, clusters, n)
        drawn = random.integers(-1, clusters + 1, (8, n))
        special = [communities + 300, np.zeros(n), np.full(n, -1), np.arange(n)]
        partitions = np.vstack([drawn, *special]).astype(np.int64)

        expected = [
            adjusted_rand_score(communities, unassigned_as_singletons(each)) for each in partitions
        ]
        assert adjusted_rand_indices(communities, partitions) == expected


@given(st.lists(st.integers(-1, 5), min_size=1))
def test_number_of_one_cluster_is_that_of_the_numbered_partition(labels: list[int]) -> None:
    found = np.array(labels)
    for node in np.flatnonzero(found >= 0).tolist():
        assert cluster_number(found, labels[node]) == numbered(found)[node]


def test_patches_are_ordered_by_cluster_the_largest_first_and_unassigned_ones_last() -> None:
    labels = np.array([-1, 5, 2, 5, 2, 5])

    assert in_order(labels).tolist() == [1, 3, 5, 2, 4, 0]
