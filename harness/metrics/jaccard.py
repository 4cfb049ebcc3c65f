"""Best-match Jaccard similarity of two partitions, and of many partitions at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.partition import unassigned_as_singletons
from harness.plugin.values import Floats, Integers

Labels = NDArray[np.integer[Any]]
# A contingency table with more cells than this for each node is not made.
MOST_CELLS = 8


def best_match_jaccard(first: ArrayLike, second: ArrayLike) -> float:
    """Compute the best-match Jaccard similarity of two partitions.

    ``J(P, P′) = ½ [Σ_C |C|/n γ(C, P′) + Σ_D |D|/n γ(D, P)]``, where
    ``γ(C, P′) = max_D |C ∩ D| / |C ∪ D|`` is the largest Jaccard index of a cluster with a cluster
    of the other partition: Hennig's cluster-wise index, weighted by cluster size and made
    symmetric.

    Parameters
    ----------
    first, second : array_like of int, shape (n,)
        Labels of the same n nodes, as clusterers return them. Each node labelled −1
        (unassigned) is a cluster of its own.

    Returns
    -------
    float
        Similarity in (0, 1], 1 for equal partitions. NaN if a partition is trivial: one cluster of
        all nodes, or only singletons.

    Raises
    ------
    ValueError
        If the partitions have different numbers of nodes.

    See Also
    --------
    adjusted_jaccard : The same, adjusted for chance.

    References
    ----------
    Hennig 2007, "Cluster-wise assessment of cluster stability".

    Examples
    --------
    >>> harness.best_match_jaccard(np.array([0, 0, 1, 1]), np.array([7, 7, 3, 3]))
    1.0
    >>> harness.best_match_jaccard(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 1]))
    0.6041666666666666
    """
    rows, columns = np.asarray(first), np.asarray(second)
    if len(rows) != len(columns):
        raise ValueError(f"partitions of {len(rows)} and of {len(columns)} nodes")
    return jaccard_of(unassigned_as_singletons(rows), unassigned_as_singletons(columns))


def jaccard_of(rows: Integers, columns: Integers) -> float:
    """`best_match_jaccard` of valid communities (n,), numbered 0 … k − 1."""
    row_sizes, column_sizes = np.bincount(rows), np.bincount(columns)
    n = len(rows)
    if {len(row_sizes), len(column_sizes)} & {1, n}:
        return float("nan")
    best = _best_overlaps(rows * len(column_sizes) + columns, row_sizes, column_sizes)
    # Averaged over the nodes.
    return 0.5 * (float(row_sizes @ best[0] / n) + float(column_sizes @ best[1] / n))


def _best_overlaps(
    cells: Integers, row_sizes: Integers, column_sizes: Integers
) -> tuple[Floats, Floats]:
    """Each cluster's largest overlap with one of the other partition, for rows and for columns.

    cells: (n,), where each node is in the contingency table, row by row.
    """
    shape = len(row_sizes), len(column_sizes)
    # A few clusters are counted sooner than sorted.
    if shape[0] * shape[1] <= MOST_CELLS * len(cells):
        shared = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
        overlap = shared / (row_sizes[:, None] + column_sizes - shared)
        return overlap.max(axis=1), overlap.max(axis=0)
    # Only the non-empty cells of the table, at most n.
    found, shared = np.unique(cells, return_counts=True)
    row, column = np.divmod(found, shape[1])
    overlap = shared / (row_sizes[row] + column_sizes[column] - shared)
    best = np.zeros(shape[0]), np.zeros(shape[1])
    np.maximum.at(best[0], row, overlap)
    np.maximum.at(best[1], column, overlap)
    return best


def best_match_jaccards(partitions: Sequence[ArrayLike] | Labels) -> Floats:
    """Compute `best_match_jaccard` of every pair of many partitions.

    Parameters
    ----------
    partitions : sequence of array_like of int, shape (n,), or ndarray, shape (partitions, n)
        Labels of the same n nodes, as clusterers return them; at least one partition.

    Returns
    -------
    ndarray, shape (partitions, partitions)
        Symmetric; NaN in the rows and columns of trivial partitions.

    Examples
    --------
    >>> partitions = np.array([[0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]])
    >>> harness.best_match_jaccards(partitions).round(2).tolist()
    [[1.0, 0.6, nan], [0.6, 1.0, nan], [nan, nan, nan]]
    """
    members = Memberships.of([np.asarray(each) for each in partitions])
    return best_match_jaccards_between(members, members)


@dataclass(frozen=True, eq=False)
class Memberships:
    """Partitions of the same n nodes, their clusters of two or more nodes stacked in one matrix.

    nodes: (clusters, n), whether a node is in a cluster; sizes: (clusters,); counts: (partitions,),
    the clusters of each partition; around: (partitions, n), the size of each node's cluster.
    """

    nodes: NDArray[np.bool_]
    sizes: Floats
    counts: Integers
    around: Integers

    @classmethod
    def of(cls, partitions: Sequence[Labels]) -> Self:
        """Build from labels (n,) of at least one partition; unassigned nodes are singletons."""
        labels = [unassigned_as_singletons(each) for each in partitions]
        sizes = [np.bincount(each) for each in labels]
        several = [np.flatnonzero(own > 1) for own in sizes]
        rows = [which[:, None] == each for which, each in zip(several, labels, strict=True)]
        nodes = np.concatenate(rows)
        return cls(
            nodes,
            nodes.sum(axis=1).astype(np.float64),
            np.array([len(which) for which in several]),
            np.array([own[each] for own, each in zip(sizes, labels, strict=True)]),
        )

    def part(self, first: int, end: int) -> Self:
        """The partitions with indices first … end − 1."""
        start, stop = self.counts[:first].sum(), self.counts[:end].sum()
        return type(self)(
            self.nodes[start:stop],
            self.sizes[start:stop],
            self.counts[first:end],
            self.around[first:end],
        )

    @property
    def n(self) -> int:
        """The number of nodes."""
        return int(self.around.shape[1])

    @property
    def alone(self) -> NDArray[np.bool_]:
        """Which nodes are singletons, (partitions, n)."""
        return np.asarray(self.around == 1)

    @property
    def cluster_counts(self) -> Integers:
        """The number of clusters of each partition, singletons included, (partitions,)."""
        return np.asarray(self.counts + self.alone.sum(axis=1))

    @property
    def trivial(self) -> NDArray[np.bool_]:
        """Which partitions are one cluster of all nodes, or singletons only, (partitions,)."""
        return np.asarray(np.isin(self.cluster_counts, (1, self.n)))

    def shared(self, other: Self) -> Floats:
        """The number of nodes that each cluster shares with each of the other's clusters."""
        return _common(self.nodes, other.nodes)

    def joined(self, operation: np.ufunc, values: Floats) -> Floats:
        """Reduce values (clusters, …) within each partition, (partitions, …); 0 for no cluster."""
        filled = np.flatnonzero(self.counts)
        together = np.zeros((len(self.counts), *values.shape[1:]))
        if len(filled):
            starts = (np.cumsum(self.counts) - self.counts)[filled]
            together[filled] = operation.reduceat(values, starts, axis=0)
        return together


def best_match_jaccards_between(first: Memberships, second: Memberships) -> Floats:
    """`best_match_jaccard` of each first with each second partition, (first, second)."""
    shared = first.shared(second)
    overlap = shared / (first.sizes[:, None] + second.sizes - shared)
    # Turned as a whole, since its columns are reduced several times as fast as its rows.
    turned = np.ascontiguousarray(overlap.T)
    forth = _mean_best_of_all(first, second, turned)
    # A set compared with itself gives the same in both directions.
    back = forth if second is first else _mean_best_of_all(second, first, overlap)
    similarity = (forth + back.T) / 2
    similarity[first.trivial] = similarity[:, second.trivial] = np.nan
    return np.asarray(similarity, dtype=np.float64)


def _mean_best_of_all(own: Memberships, others: Memberships, overlap: Floats) -> Floats:
    """`_mean_best` of each own partition in each other one, (own, others).

    overlap: (others' clusters, own clusters).
    """
    # A cluster that contains a singleton of the other partition has at least 1 / its size.
    best = others.joined(np.maximum, overlap).T
    np.maximum(best, (_common(own.nodes, others.alone) > 0) / own.sizes[:, None], out=best)
    several = own.joined(np.add, own.sizes[:, None] * best)
    return np.asarray((several + own.alone @ (1 / others.around).T) / own.n)


def _common(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Floats:
    """The sizes of the intersections of node sets (sets, n): (first, second)."""
    # float32 is exact for integers up to 2²⁴, and its product takes half the time of float64's.
    product = first.astype(np.float32) @ second.T.astype(np.float32)
    return np.asarray(product, dtype=np.float64)
