"""my-method: a graph builder."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class MyMethod(harness.GraphBuilder):
    """Drops the weakest edges of the map, whichever patch they leave.

    Parameters
    ----------
    stop
        The fraction of the edges that the last level drops.
    """

    name: ClassVar[str] = "my-method"
    stop: float = 0.95

    def levels(self, attention: harness.AttentionMap, count: int) -> harness.Floats:
        """Fractions of edges to drop (count,): they depend on no weight."""
        return np.linspace(0.0, self.stop, count)

    def build(
        self, attention: harness.AttentionMap, levels: harness.Floats
    ) -> Iterator[harness.Graph]:
        """One graph a level, each with fewer edges."""
        whole = harness.Graph.from_weights(attention.weights)
        weakest_first = whole.adjacency.data.argsort(kind="stable")
        for level in levels.tolist():
            kept = np.sort(weakest_first[round(level * whole.edges) :])
            yield whole.keeping(kept, level=level)


@harness.hookimpl
def harness_graph_builders() -> list[type[harness.GraphBuilder]]:
    """The graph builder of this module."""
    return [MyMethod]
