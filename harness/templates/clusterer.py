"""my-method: a clusterer."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class MyMethod(harness.Clusterer):
    """Joins every patch with the one that it attends to most.

    Parameters
    ----------
    smallest
        Patches in smaller clusters are left unassigned.
    """

    name: ClassVar[str] = "my-method"
    smallest: int = 2

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Integers:
        """The cluster of every node (n,), −1 for none."""
        weights = graph.adjacency.toarray()
        np.fill_diagonal(weights, 0)
        strongest = np.where(weights == weights.max(axis=1, keepdims=True), weights, 0)
        clusters = harness.Graph.from_weights(strongest).components
        sizes = np.bincount(clusters)[clusters]
        return np.where(sizes < self.smallest, harness.UNASSIGNED, clusters)


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    """The clusterer of this module."""
    return [MyMethod]
