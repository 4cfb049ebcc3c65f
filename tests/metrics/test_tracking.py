"""Numbers that stay with clusters from level to level."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.metrics.tracking import tracked

PARTITIONS = arrays(np.int64, (4, 12), elements=st.integers(-1, 4))


def in_clusters(labels: np.ndarray) -> np.ndarray:
    """The same partition, −1 for nodes that are unassigned or alone."""
    sizes = {label: (labels == label).sum() for label in set(labels.tolist())}
    return np.array([-1 if sizes[each] < 2 else each for each in labels.tolist()])


@given(PARTITIONS, st.integers(0, 3))
def test_every_level_is_the_same_partition_by_other_labels(labels: np.ndarray, start: int) -> None:
    for numbers, own in zip(tracked(labels, start), map(in_clusters, labels), strict=True):
        pairs = set(zip(numbers.tolist(), own.tolist(), strict=True))
        assert len(pairs) == len({number for number, _ in pairs}) == len({at for _, at in pairs})
        assert all((number == -1) == (label == -1) for number, label in pairs)


@given(PARTITIONS, st.integers(0, 3))
def test_numbers_do_not_depend_on_labels(labels: np.ndarray, start: int) -> None:
    renamed = np.where(labels < 0, -1, 40 - labels)

    assert tracked(renamed, start).tolist() == tracked(labels, start).tolist()


def test_at_the_start_the_largest_cluster_is_0_and_nodes_alone_are_in_none() -> None:
    labels = np.array([[5, 5, 9, 9, 9, 1, -1]])

    assert tracked(labels, 0).tolist() == [[1, 1, 0, 0, 0, -1, -1]]


def test_the_largest_part_of_a_cluster_keeps_its_number_both_ways() -> None:
    whole, split = [0] * 6, [0, 0, 0, 0, 1, 1]

    assert tracked(np.array([split, whole, split]), 1).tolist() == [
        [0, 0, 0, 0, 1, 1],
        [0] * 6,
        [0, 0, 0, 0, 1, 1],
    ]


def test_a_new_cluster_has_no_number_of_the_level_before() -> None:
    before, after = [0, 0, 0, 1, 1, 1, -1, -1], [0, 0, 0, -1, -1, -1, 1, 1]

    assert tracked(np.array([before, after]), 0)[1].tolist() == [0, 0, 0, -1, -1, -1, 2, 2]


def test_clusters_that_match_another_partition_have_its_numbers() -> None:
    like = np.array([7, 7, 7, 3, 3, 3])

    assert tracked(np.array([[0, 0, 1, 1, 1, 1]]), 0, like).tolist() == [[7, 7, 3, 3, 3, 3]]


def test_levels_without_a_cluster_end_all_numbers() -> None:
    labels = np.array([[0, 0, 1, 1], [-1, -1, -1, -1], [0, 0, 1, 1]])

    assert tracked(labels, 0).tolist() == [[0, 0, 1, 1], [-1] * 4, [0, 0, 1, 1]]
