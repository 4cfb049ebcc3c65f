"""Graphs of an attention map's strongest edges."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

import harness
from harness import Floats

SPARSEST_FRACTION = 0.98
"""Where the density axis ends unless told otherwise: one edge in fifty is left."""

STRONGEST_MULTIPLE = 4.0
"""Where the absolute axis ends unless told otherwise, in multiples of the uniform weight 1/n."""


@dataclass(frozen=True)
class Threshold(harness.GraphBuilder):
    """Drops the weakest edges: a fraction of them, or those below a weight.

    On either axis edges as heavy as the threshold stay, and weights of zero are never edges.

    axis: what a level is. density: the fraction of all n(n − 1) pairs of nodes (n² with
        self-loops), edges or not, that is dropped, weakest first, rounded down to whole pairs;
        absolute: the smallest weight that stays.
    start: the first level.
    stop: the last level; if not given, 0.98 for density and 4/n for absolute, which is four times
        what each of n patches gets when attention is spread evenly.
    self_loops: whether edges from a node to itself are edges too.
    """

    name: ClassVar[str] = "threshold"
    axis: Literal["density", "absolute"] = "density"
    start: float = 0.0
    stop: float | None = None
    self_loops: bool = False

    def __post_init__(self) -> None:
        if self.axis not in ("density", "absolute"):
            raise harness.HarnessError(
                f"threshold: axis must be density or absolute, not {self.axis!r}"
            )
        self._check_level("start", self.start)
        if self.stop is not None:
            self._check_level("stop", self.stop)
        self._check_range(self._stop_for(n=1))  # which is the widest that the range can be

    def levels(self, attention: harness.AttentionMap, count: int) -> Floats:
        """`count` evenly spaced levels from start to stop, both included; of one, start.

        Raises HarnessError for a count below 1, and if start is not below the 4/n that stands
        for stop on the absolute axis.
        """
        if count < 1:
            raise harness.HarnessError(f"threshold: count must be at least 1, not {count}")
        stop = self._stop_for(attention.n)
        self._check_range(stop)
        return np.linspace(self.start, stop, count)

    def build(self, attention: harness.AttentionMap, levels: Floats) -> Iterator[harness.Graph]:
        """One graph a level; each is part of the one before.

        A graph's threshold is the smallest weight allowed in it: on the density axis the weight
        of the weakest pair that is not dropped. Raises HarnessError if the levels do not
        increase or do not lie on the axis.
        """
        levels = np.asarray(levels, dtype=np.float64)
        for level in levels:
            self._check_level("each level", float(level))
        if not np.all(np.diff(levels) > 0):
            raise harness.HarnessError("threshold: levels must increase from one to the next")
        unpruned = harness.Graph.from_weights(attention.weights, self_loops=self.self_loops)
        thresholds = _thresholds_dropping(levels, unpruned) if self.axis == "density" else levels
        return _nested_graphs(unpruned, levels, thresholds)

    def _stop_for(self, n: int) -> float:
        if self.stop is not None:
            return self.stop
        return SPARSEST_FRACTION if self.axis == "density" else STRONGEST_MULTIPLE / n

    def _check_level(self, which: str, level: float) -> None:
        end = 1.0 if self.axis == "density" else np.inf
        if not 0 <= level < end:
            limit = "below 1 (which would drop every edge)" if end == 1 else "finite"
            raise harness.HarnessError(
                f"threshold: {which} must be at least 0 and {limit}, not {level}"
            )

    def _check_range(self, stop: float) -> None:
        if not self.start < stop:
            raise harness.HarnessError(
                f"threshold: start must be below stop, not {self.start} and {stop}"
            )


def _thresholds_dropping(fractions: Floats, unpruned: harness.Graph) -> Floats:
    """The weight of the weakest pair that stays when a fraction of the pairs is dropped."""
    pairs = unpruned.n * (unpruned.n if unpruned.self_loops else unpruned.n - 1)
    if not pairs:
        return np.zeros(len(fractions))
    weights = np.zeros(pairs)
    weights[pairs - unpruned.edges :] = np.sort(unpruned.adjacency.data)
    # 0.29 · 100 is 28.999…: a millionth of a pair is rounding, not a fraction.
    dropped = np.floor(np.round(fractions * pairs, 6)).astype(np.int64)
    return weights[np.minimum(dropped, pairs - 1)]


def _nested_graphs(
    unpruned: harness.Graph, levels: Floats, thresholds: Floats
) -> Iterator[harness.Graph]:
    """One graph a level, each made from the edges of the one before alone."""
    from scipy.sparse import csr_array

    edges = unpruned.adjacency
    for level, threshold in zip(levels.tolist(), thresholds.tolist(), strict=True):
        kept = np.flatnonzero(edges.data >= threshold)
        pointers = np.searchsorted(kept, edges.indptr).astype(np.int32)
        edges = csr_array((edges.data[kept], edges.indices[kept], pointers), shape=edges.shape)
        yield harness.Graph(edges, level, threshold, unpruned.self_loops)


@harness.hookimpl
def harness_graph_builders() -> list[type[harness.GraphBuilder]]:
    """The builder of this module."""
    return [Threshold]
