"""Many partitions of the same nodes at once, as one matrix of their clusters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.partition import unassigned_as_singletons
from harness.plugin.values import Floats, Integers


@dataclass(frozen=True, eq=False)
class Memberships:
    """Partitions of n nodes, their clusters of two nodes or more one below the other.

    nodes: (clusters, n), whether a node is in a cluster; sizes: (clusters,); counts: (partitions,),
    how many of these clusters each has. Singletons are no rows, there may be n of them:
    around: (partitions, n), the size of the cluster that a node is in, says which they are.
    Unassigned nodes (−1) are singletons.
    """

    nodes: NDArray[np.bool_]
    sizes: Floats
    counts: Integers
    around: Integers

    @classmethod
    def of(cls, partitions: Sequence[NDArray[np.integer[Any]]]) -> "Memberships":
        """Of labels (n,), one or more partitions."""
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

    def __len__(self) -> int:
        return len(self.counts)

    def part(self, first: int, end: int) -> "Memberships":
        """The partitions from the first up to, not including, the end."""
        start, stop = self.counts[:first].sum(), self.counts[:end].sum()
        return Memberships(
            self.nodes[start:stop],
            self.sizes[start:stop],
            self.counts[first:end],
            self.around[first:end],
        )

    @property
    def alone(self) -> NDArray[np.bool_]:
        """Which nodes are singletons, (partitions, n)."""
        return np.asarray(self.around == 1)

    @property
    def cluster_counts(self) -> Integers:
        """How many clusters each partition has, singletons among them, (partitions,)."""
        return np.asarray(self.counts + self.alone.sum(axis=1))

    @property
    def trivial(self) -> NDArray[np.bool_]:
        """Which partitions say nothing: one cluster of all nodes, or singletons only."""
        return np.asarray(np.isin(self.cluster_counts, (1, self.around.shape[1])))

    def shared(self, other: "Memberships") -> Floats:
        """How many nodes each cluster has in common with each of the other, (clusters, others)."""
        return common(self.nodes, other.nodes)

    def joined(self, operation: np.ufunc, values: Floats) -> Floats:
        """Values (clusters, …) put together by partition, (partitions, …); 0 where one has none."""
        filled = np.flatnonzero(self.counts)
        together = np.zeros((len(self), *values.shape[1:]))
        if len(filled):
            starts = (np.cumsum(self.counts) - self.counts)[filled]
            together[filled] = operation.reduceat(values, starts, axis=0)
        return together


def common(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> Floats:
    """How many nodes sets (sets, n) have in common with others: (first, second)."""
    # Whole numbers of single precision are exact up to 2²⁴, and multiplied twice as fast.
    product = first.astype(np.float32) @ second.T.astype(np.float32)
    return np.asarray(product, dtype=np.float64)
