"""A clusterer that takes no time, so that what is measured is the harness."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness
from harness import Graph, Integers


@dataclass(frozen=True)
class Halves(harness.Clusterer):
    """The first half of the nodes, and the second."""

    name: ClassVar[str] = "halves"

    def cluster(self, graph: Graph, *, seed: int) -> Integers:
        """Two clusters, whatever the edges."""
        return np.arange(graph.n) * 2 // graph.n


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    """The clusterer of this module."""
    return [Halves]
