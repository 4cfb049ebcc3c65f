"""Validity of labels, and what can be computed from labels alone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import InvalidResultError
from harness.plugin.values import UNASSIGNED, Integers, check_array

LARGEST = int(np.iinfo(np.int64).max)


class InvalidLabelsError(InvalidResultError):
    """Labels that are not a partition of the nodes."""


def check_labels(given: Any, n: int) -> Integers:
    """Return the labels of n nodes as int64 (n,).

    Raises InvalidLabelsError unless they are a numpy array (n,) of an integer type with values of
    −1 (unassigned) or more.
    """
    try:
        labels = check_array(given, "labels")
    except TypeError as error:
        raise InvalidLabelsError(str(error)) from None
    if labels.dtype.kind not in "iu":
        raise InvalidLabelsError(f"labels must be integers, not {labels.dtype}")
    if labels.shape != (n,):
        raise InvalidLabelsError(f"labels must be ({n},), one a node, not {labels.shape}")
    if labels.min(initial=0) < UNASSIGNED or labels.max(initial=0) > LARGEST:
        node = int(np.argmax((labels < UNASSIGNED) | (labels > LARGEST)))
        raise InvalidLabelsError(
            f"labels must be −1 (unassigned) or from 0 up to 2⁶³ − 1; node {node} has "
            f"{labels[node]}"
        )
    return labels.astype(np.int64)


def renumbered(labels: NDArray[np.integer[Any]]) -> Integers:
    """The same partition (n,) with labels 0 … k − 1 in the same order; −1 stays −1."""
    # Labels are mostly smaller than n; counting them is then several times faster than sorting.
    if labels.max(initial=0) >= len(labels):
        found, inverse = np.unique(labels, return_inverse=True)
        # Unassigned nodes come first.
        return np.asarray(inverse - (found[0] == UNASSIGNED), dtype=np.int64)
    shifted = labels.astype(np.int64) - UNASSIGNED
    sizes = np.bincount(shifted, minlength=1)
    if sizes[1:].all():
        return shifted + UNASSIGNED
    names = np.cumsum(sizes > 0) - (sizes[0] > 0)
    return np.asarray(names[shifted] - 1)


def by_size(labels: NDArray[np.integer[Any]]) -> list[int]:
    """The labels of the clusters, the largest first; without unassigned nodes.

    Of clusters of one size, that with the first node comes first, so that equal partitions have
    equal numbers whatever their labels are.
    """
    found, first, sizes = np.unique(
        labels[labels != UNASSIGNED], return_index=True, return_counts=True
    )
    return [int(found[at]) for at in np.lexsort((first, -sizes))]


def cluster_number(labels: NDArray[np.integer[Any]], label: int) -> int:
    """The number that users see of one cluster, as of `numbered`, without sorting the clusters."""
    sizes = np.bincount(labels[labels != UNASSIGNED])
    own = sizes[label]
    rivals = np.flatnonzero(sizes == own).tolist()
    before = set(labels[: int((labels == label).argmax())].tolist()) if len(rivals) > 1 else set()
    return 1 + int(np.count_nonzero(sizes > own)) + len(before.intersection(rivals))


def numbered(labels: NDArray[np.integer[Any]]) -> Integers:
    """The same partition (n,) by the numbers that users see: 1 is the largest cluster, −1 none."""
    found, inverse = np.unique(labels, return_inverse=True)
    numbers = {label: number for number, label in enumerate(by_size(labels), 1)}
    named = [numbers.get(label, UNASSIGNED) for label in found.tolist()]
    return np.array(named, dtype=np.int64)[inverse]


def unassigned_as_singletons(labels: NDArray[np.integer[Any]]) -> Integers:
    """The same partition (n,) with labels 0 … k − 1, each unassigned node a cluster of its own.

    Clusters keep their order; the new singletons come last.
    """
    return communities_of(renumbered(labels))


def communities_of(labels: Integers) -> Integers:
    """`unassigned_as_singletons` of labels (n,) that are 0 … k − 1 and −1 already."""
    unassigned = np.flatnonzero(labels == UNASSIGNED)
    if not len(unassigned):
        return labels
    communities = labels.copy()
    communities[unassigned] = labels.max() + 1 + np.arange(len(unassigned))
    return communities


def adjusted_rand_indices(
    communities: NDArray[np.integer[Any]], partitions: NDArray[np.integer[Any]]
) -> list[float]:
    """The adjusted Rand index of each of some partitions (partitions, n) with communities (n,).

    Unassigned nodes are clusters of their own (Hubert and Arabie 1985). It counts pairs of nodes,
    in integers, so that it is exact but for the last division.
    """
    (count, n), own = partitions.shape, unassigned_as_singletons(communities)
    numbers, assigned = np.unique(partitions, return_inverse=True)
    labels = assigned.reshape(count, n)
    k, clusters = int(own.max(initial=-1)) + 1, len(numbers)
    codes = (np.arange(count)[:, None] * clusters + labels) * k + own
    tables = np.bincount(codes.ravel(), minlength=count * clusters * k).reshape(count, clusters, k)
    # Unassigned nodes are no cluster: each has its own, whose square is 1.
    alone = np.zeros(count, dtype=np.int64)
    if clusters and numbers[0] == UNASSIGNED:
        alone = tables[:, 0].sum(axis=1)
        tables = tables[:, 1:]
    in_both = ((tables**2).sum(axis=(1, 2)) + alone).tolist()
    in_theirs = ((tables.sum(axis=2) ** 2).sum(axis=1) + alone).tolist()
    in_own = int((np.bincount(own) ** 2).sum())
    found = []
    for both, theirs in zip(in_both, in_theirs, strict=True):
        # Ordered pairs: together in both, in one of them, and in neither.
        together, first, second = both - n, in_own - both, theirs - both
        neither = n * n - first - second - both
        chance = (together + first) * (first + neither) + (together + second) * (second + neither)
        score = 2.0 * (together * neither - first * second) / chance if first or second else 1.0
        found.append(score)
    return found


def cluster_count(labels: NDArray[np.integer[Any]]) -> int:
    """The number of clusters of at least two nodes."""
    return count_of(np.bincount(unassigned_as_singletons(labels)))


def count_of(sizes: Integers) -> int:
    """The number of clusters of at least two nodes, of the sizes of all."""
    return int(np.count_nonzero(sizes >= 2))


def coverage(labels: NDArray[np.integer[Any]]) -> float:
    """The fraction of nodes that are assigned to a cluster."""
    return np.count_nonzero(labels != UNASSIGNED) / len(labels)


def drop_singletons(labels: NDArray[np.integer[Any]]) -> Integers:
    """The labels (n,) with every cluster of one node unassigned (−1)."""
    found, inverse, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    names = np.where((sizes < 2) | (found == UNASSIGNED), UNASSIGNED, found)
    return names[inverse].astype(np.int64)


def in_order(labels: Integers) -> Integers:
    """The patches (n,) cluster by cluster, the largest first, unassigned ones (−1) last."""
    places = {label: place for place, label in enumerate([*by_size(labels), UNASSIGNED])}
    return np.argsort([places[label] for label in labels.tolist()], kind="stable")
