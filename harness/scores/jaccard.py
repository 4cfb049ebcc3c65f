"""How alike partitions of the same nodes are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.scores.partition import unassigned_as_singletons
from harness.values import Floats, Integers


def best_match_jaccard(first: NDArray[np.integer[Any]], second: NDArray[np.integer[Any]]) -> float:
    """Likeness in (0, 1] of two partitions, given as labels (n,); 1 where they are the same.

    Each cluster's largest Jaccard index with a cluster of the other partition (Hennig 2007,
    "Cluster-wise assessment of cluster stability"), weighted by size and made symmetric:
    J(P, P′) = ½ [Σ_C |C|/n γ(C, P′) + Σ_D |D|/n γ(D, P)], γ(C, P′) = max_D |C ∩ D| / |C ∪ D|.
    Nodes labelled −1 (unassigned) are singletons.

    NaN where either partition is trivial, one cluster of all nodes or singletons only: agreement
    with such a partition says nothing about clusters. Raises ValueError if the lengths differ.
    """
    if len(first) != len(second):
        raise ValueError(f"partitions of {len(first)} and of {len(second)} nodes")
    rows, columns = unassigned_as_singletons(first), unassigned_as_singletons(second)
    row_sizes, column_sizes = np.bincount(rows), np.bincount(columns)
    n = len(first)
    if {len(row_sizes), len(column_sizes)} & {1, n}:
        return float("nan")
    # Of the contingency table only the cells that are not empty, at most n of them.
    cells, shared = np.unique(rows * len(column_sizes) + columns, return_counts=True)
    row, column = np.divmod(cells, len(column_sizes))
    overlap = shared / (row_sizes[row] + column_sizes[column] - shared)
    return 0.5 * (_mean_best(overlap, row, row_sizes) + _mean_best(overlap, column, column_sizes))


def _mean_best(
    overlap: Floats, cluster: NDArray[np.integer[Any]], sizes: NDArray[np.integer[Any]]
) -> float:
    """Each cluster's largest overlap, averaged over the nodes."""
    best = np.zeros(len(sizes))
    np.maximum.at(best, cluster, overlap)
    return float(sizes @ best / sizes.sum())


def best_match_jaccards(
    partitions: Sequence[NDArray[np.integer[Any]]] | NDArray[np.integer[Any]],
) -> Floats:
    """`best_match_jaccard` of every two of many partitions: (partitions, partitions).

    All at once by a product of their clusters' memberships. Clusters of two nodes or more are
    columns of it; what a singleton adds is known from the size of the cluster it lies in.
    """
    labels = np.array([unassigned_as_singletons(each) for each in partitions])
    count, n = labels.shape
    sizes = [np.bincount(each) for each in labels]
    # (partitions, n): the size of each node's cluster.
    around = np.array([own[each] for own, each in zip(sizes, labels, strict=True)])
    alone = around == 1
    members = _memberships(labels, sizes)
    widths = np.array([len(each) for each in members])
    clusters = np.concatenate(members)
    own = clusters.sum(axis=1)

    shared = clusters @ clusters.T
    best = np.zeros((len(own), count))
    filled = np.flatnonzero(widths)
    starts = (np.cumsum(widths) - widths)[filled]
    if len(own):
        overlap = shared / (own[:, None] + own - shared)
        best[:, filled] = np.maximum.reduceat(overlap, starts, axis=1)
        np.maximum(best, (clusters @ alone.T > 0) / own[:, None], out=best)
    # What each partition's nodes find on the mean in each other partition.
    found = alone @ (1 / around).T / n
    if len(own):
        found[filled] += np.add.reduceat(own[:, None] * best, starts, axis=0) / n
    alike = (found + found.T) / 2
    trivial = np.array([len(own) in (1, n) for own in sizes])
    alike[trivial] = alike[:, trivial] = np.nan
    return np.asarray(alike, dtype=np.float64)


def _memberships(labels: Integers, sizes: Sequence[Integers]) -> list[Floats]:
    """For each partition (clusters of two nodes or more, n): whether a node is in a cluster."""
    return [
        (np.flatnonzero(own > 1)[:, None] == each).astype(np.float64)
        for own, each in zip(sizes, labels, strict=True)
    ]
