"""How much of the weight is inside clusters."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class CoverageOfWeight(harness.Score):
    """The fraction of the pruned graph's weight that is inside clusters.

    Fortunato 2010, where edges count by their weights. A single cluster of all nodes has 1, so
    compare with the control. Undefined if the graph has no edge.
    """

    name: ClassVar[str] = "coverage-of-weight"
    higher_is_better: ClassVar[bool] = True
    range: ClassVar[tuple[float, float]] = (0, 1)

    def score(self, labelled: harness.LabelledGraph) -> float:
        """The share, 0 … 1."""
        graph, labels = labelled.graph, labelled.labels
        if not graph.edges:
            return np.nan
        sources, targets = labels[graph.rows], labels[graph.adjacency.indices]
        inside = (sources == targets) & (sources != harness.UNASSIGNED)
        return float(graph.adjacency.data @ inside / graph.total)


@harness.hookimpl
def harness_scores() -> list[type[harness.Score]]:
    return [CoverageOfWeight]
