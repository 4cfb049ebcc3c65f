"""Graphs of an attention map's strongest edges."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

import harness
from harness import Floats
from harness_plugins.graph_builders.pruning import (
    SPARSEST_FRACTION,
    check_levels,
    check_range,
    cutoffs_dropping,
    evenly_spaced,
    nested_graphs,
)
from harness_plugins.parameters import check_bounds

STRONGEST_MULTIPLE = 4.0
"""The default end of the absolute axis, in multiples of the uniform weight 1/n."""


@dataclass(frozen=True)
class Threshold(harness.GraphBuilder):
    """Drops the weakest edges: a fraction of all pairs, or those below a weight.

    Edges whose weight equals the threshold stay, and weights of zero are never edges.

    Parameters
    ----------
    axis
        the meaning of a level. density: the fraction of all n(n − 1) pairs of nodes (n² with
        self-loops), edges or not, that is dropped, weakest first, rounded down to whole pairs;
        absolute: the smallest weight that stays.
    start
        the first level.
    stop
        the last level; if not given, 0.98 for density and 4/n for absolute, which is four times the
        weight of evenly spread attention over n patches.
    self_loops
        whether a node may have an edge to itself.
    """

    name: ClassVar[str] = "threshold"
    axis: Literal["density", "absolute"] = "density"
    start: float = 0.0
    stop: float | None = None
    self_loops: bool = False

    def __post_init__(self) -> None:
        check_bounds(self, "start", "stop", least=0, below=self._below)
        # With n = 1 the range is as wide as it can be.
        check_range(self.name, self.start, self._stop_for(n=1))

    def levels(self, attention: harness.AttentionMap, count: int) -> Floats:
        """`count` evenly spaced levels from start to stop, both included; start if count is 1."""
        return evenly_spaced(self.name, self.start, self._stop_for(attention.n), count)

    def build(self, attention: harness.AttentionMap, levels: Floats) -> Iterator[harness.Graph]:
        """One graph per level; each is a subgraph of the one before.

        A graph's threshold is the smallest weight allowed in it: on the density axis the weight
        of the weakest pair that is not dropped.
        """
        levels = np.asarray(levels, dtype=np.float64)
        check_levels(self.name, levels, below=self._below)
        unpruned = harness.Graph.from_weights(attention.weights, self_loops=self.self_loops)
        thresholds = _thresholds_dropping(levels, unpruned) if self.axis == "density" else levels
        weights = unpruned.adjacency.data
        return nested_graphs(unpruned, levels, weights, thresholds, by_weight=True)

    def _stop_for(self, n: int) -> float:
        if self.stop is not None:
            return self.stop
        return SPARSEST_FRACTION if self.axis == "density" else STRONGEST_MULTIPLE / n

    @property
    def _below(self) -> float | None:
        """The bound of levels on the density axis."""
        return 1 if self.axis == "density" else None


def _thresholds_dropping(fractions: Floats, unpruned: harness.Graph) -> Floats:
    """The weight of the weakest pair that stays when a fraction of the pairs is dropped."""
    pairs = unpruned.n * (unpruned.n if unpruned.self_loops else unpruned.n - 1)
    # If pairs without an edge stay, so does every edge.
    return np.maximum(cutoffs_dropping(fractions, unpruned.adjacency.data, pairs), 0.0)


@harness.hookimpl
def harness_graph_builders() -> list[type[harness.GraphBuilder]]:
    return [Threshold]
