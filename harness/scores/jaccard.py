"""How alike two partitions of the same nodes are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.scores.partition import unassigned_as_singletons
from harness.values import Floats


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
