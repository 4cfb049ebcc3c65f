"""How alike partitions of the same nodes are."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.memberships import Memberships, common
from harness.metrics.partition import unassigned_as_singletons
from harness.plugin.values import Floats


def best_match_jaccard(first: NDArray[np.integer[Any]], second: NDArray[np.integer[Any]]) -> float:
    """Similarity in (0, 1] of two partitions, given as labels (n,); 1 where they are the same.

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
    """`best_match_jaccard` of every two of many partitions: (partitions, partitions)."""
    members = Memberships.of(list(partitions))
    return best_match_jaccards_between(members, members)


def best_match_jaccards_between(first: Memberships, second: Memberships) -> Floats:
    """`best_match_jaccard` of partitions with others of the same nodes: (first, second)."""
    shared = first.shared(second)
    overlap = shared / (first.sizes[:, None] + second.sizes - shared)
    forth = _mean_found(first, second, overlap)
    # Of partitions with themselves it is the same both ways.
    back = forth if second is first else _mean_found(second, first, overlap.T)
    alike = (forth + back.T) / 2
    alike[first.trivial] = alike[:, second.trivial] = np.nan
    return np.asarray(alike, dtype=np.float64)


def _mean_found(of: Memberships, among: Memberships, overlap: Floats) -> Floats:
    """What the nodes' clusters find on the mean in each other partition, (of, among).

    What a singleton finds is known from the size of the cluster that it lies in, and a cluster
    that has one of the others' singletons in it finds at least one over its own size.
    """
    best = among.joined(np.maximum, overlap.T).T
    np.maximum(best, (common(of.nodes, among.alone) > 0) / of.sizes[:, None], out=best)
    several = of.joined(np.add, of.sizes[:, None] * best)
    return np.asarray((several + of.alone @ (1 / among.around).T) / of.around.shape[1])
