"""Numbers that stay with clusters from one partition of a sequence to the next."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.partition import drop_singletons, numbered
from harness.plugin.values import UNASSIGNED, Integers

Labels = NDArray[np.integer[Any]]


def tracked(labels: Labels, start: int, like: Integers | None = None) -> Integers:
    """Number the clusters of a sequence of partitions so that each keeps its number.

    Parameters
    ----------
    labels
        Labels of the same nodes at each level, (levels, n).
    start
        The level where numbering starts: there 0 is the largest cluster.
    like
        Numbers (n,) of another partition of the nodes, whose clusters give their numbers to those
        that match them at the start.

    Returns
    -------
    ndarray of int
        The numbers (levels, n), from 0; −1 for nodes that are unassigned or alone in their cluster.
        From the start both ways, a cluster has the number of the cluster of the level before that
        it matches, or else the lowest that neither level uses. Clusters match one to one, those
        with the largest Jaccard index first.

    Examples
    --------
    >>> tracked(np.array([[4, 4, 4, 4, 4], [2, 2, 7, 7, 7], [7, 7, 7, 2, 2]]), start=1).tolist()
    [[0, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0]]
    """
    found = np.full(labels.shape, UNASSIGNED, dtype=np.int64)
    first = np.full(labels.shape[1], UNASSIGNED) if like is None else like
    found[start] = _carried(first, labels[start])
    for level in range(start + 1, len(labels)):
        found[level] = _carried(found[level - 1], labels[level])
    for level in reversed(range(start)):
        found[level] = _carried(found[level + 1], labels[level])
    return found


def _carried(numbers: Integers, labels: Labels) -> Integers:
    """The numbers of clusters, given those of the partition before, (n,)."""
    # From 0 by size, so that ties do not depend on labels.
    clusters = numbered(drop_singletons(labels))
    clusters[clusters > 0] -= 1
    if not (clusters >= 0).any():
        return clusters
    sizes = np.bincount(clusters[clusters >= 0])
    given: dict[int, int] = {}
    taken: set[int] = set()
    for number, cluster in _best_first(numbers, clusters, sizes):
        if number not in taken and cluster not in given:
            given[cluster] = number
            taken.add(number)
    free = _unused({*taken, *numbers.tolist()})
    for cluster in range(len(sizes)):
        if cluster not in given:
            given[cluster] = next(free)
    # The last one is that of nodes without a cluster.
    return np.array([*(given[each] for each in range(len(sizes))), UNASSIGNED])[clusters]


def _best_first(
    numbers: Integers, clusters: Integers, sizes: Integers
) -> Iterable[tuple[int, int]]:
    """Pairs of a number and a cluster that share nodes, by their Jaccard index."""
    both = (numbers >= 0) & (clusters >= 0)
    pairs, shared = np.unique(numbers[both] * len(sizes) + clusters[both], return_counts=True)
    before, after = np.divmod(pairs, len(sizes))
    joined = np.bincount(numbers[numbers >= 0], minlength=1)[before] + sizes[after] - shared
    # Of pairs that are equally alike, those with more nodes come first.
    order = np.lexsort((after, before, -shared, -shared / joined))
    return zip(before[order].tolist(), after[order].tolist(), strict=True)


def _unused(numbers: set[int]) -> Iterator[int]:
    return (number for number in itertools.count() if number not in numbers)
