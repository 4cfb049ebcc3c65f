"""Common parts of builders that prune a map: levels, and nested graphs by edge scores."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import harness
from harness import Floats, Integers
from harness_plugins.parameters import check_bounds, check_value

# Fewer values are sorted sooner than put into buckets, by so many bits.
FEW_VALUES = 4096
BUCKET_BITS = 12
SPARSEST_FRACTION = 0.98
"""The default end of the density axis: one edge in fifty is left."""


@dataclass(frozen=True)
class FractionSweep(harness.GraphBuilder):
    """Builders whose levels are fractions, 0 … 1, and in whose graphs edges of high score stay.

    There are no self-loops.

    Parameters
    ----------
    start
        the first level.
    stop
        the last level.
    """

    start: float = 0.0
    stop: float = SPARSEST_FRACTION

    def __post_init__(self) -> None:
        check_bounds(self, "start", "stop", least=0, below=1)
        check_range(self.name, self.start, self.stop)

    def levels(self, attention: harness.AttentionMap, count: int) -> Floats:
        """`count` evenly spaced levels from start to stop, both included; start if count is 1."""
        return evenly_spaced(self.name, self.start, self.stop, count)

    def build(self, attention: harness.AttentionMap, levels: Floats) -> Iterator[harness.Graph]:
        """One graph per level; each is a subgraph of the one before.

        A graph's threshold is the smallest weight in it, 0 if it has no edges; heavier edges may
        have been dropped.
        """
        levels = np.asarray(levels, dtype=np.float64)
        check_levels(self.name, levels, below=1)
        unpruned = harness.Graph.from_weights(attention.weights)
        scores = self._scores(unpruned)
        # A score of −inf excludes an edge from all graphs.
        cutoffs = np.maximum(self._cutoffs(levels, scores, unpruned), np.finfo(np.float64).min)
        return nested_graphs(unpruned, levels, scores, cutoffs)

    @abstractmethod
    def _scores(self, unpruned: harness.Graph) -> Floats:
        """The score of each edge, (edges,), in CSR order; edges with −inf are in no graph."""

    def _cutoffs(self, levels: Floats, scores: Floats, unpruned: harness.Graph) -> Floats:
        """The lowest score that stays at each level: here levels are fractions of all pairs."""
        return cutoffs_dropping(levels, scores, unpruned.n * (unpruned.n - 1))


def evenly_spaced(builder: str, start: float, stop: float, count: int) -> Floats:
    """`count` levels from start to stop, both included; start if count is 1."""
    check_range(builder, start, stop)
    check_value(builder, "count", count, least=1)
    return np.linspace(start, stop, count)


def check_range(builder: str, start: float, stop: float) -> None:
    """Raise HarnessError unless start < stop."""
    if not start < stop:
        raise harness.HarnessError(f"{builder}: start must be below stop, not {start} and {stop}")


def check_levels(builder: str, levels: Floats, *, below: float | None = None) -> None:
    """Raise HarnessError unless the levels are at least 0, below the bound, and increasing."""
    for level in levels.tolist():
        check_value(builder, "each level", level, least=0, below=below)
    if not np.all(np.diff(levels) > 0):
        raise harness.HarnessError(f"{builder}: levels must increase from one to the next")


def dropped(fractions: Floats, items: int) -> Any:
    """The fractions of a number of items, rounded down to whole items, (levels,); never all."""
    # 0.29 · 100 is 28.999…: a millionth of an item is rounding.
    counts = np.floor(np.round(fractions * items, 6)).astype(np.int64)
    return np.minimum(counts, max(items - 1, 0))


def cutoffs_dropping(fractions: Floats, scores: Floats, pairs: int) -> Floats:
    """The score of the lowest pair that stays per fraction of all pairs dropped; no edge is −∞."""
    if not pairs:
        return np.full(len(fractions), -np.inf)
    places = dropped(fractions, pairs) - (pairs - len(scores))
    cutoffs = np.full(len(fractions), -np.inf)
    if len(scores):
        cutoffs[places >= 0] = at_places(scores, places[places >= 0])
    return cutoffs


def at_places(values: Floats, places: Integers) -> Floats:
    """The values at some places, at least one, of the sorted values; none is NaN.

    Only those are sorted that may be wanted: a few levels need no order of all edges.
    """
    if len(values) < FEW_VALUES:
        return np.sort(values)[places]
    # Floats are in the order of their bits, if all bits of negative ones are turned.
    bits = values.view(np.uint64)
    keys = np.where(bits >> np.uint64(63), ~bits, bits | np.uint64(1 << 63))
    keys -= keys.min()
    shift = max(int(keys.max()).bit_length() - BUCKET_BITS, 0)
    buckets = (keys >> np.uint64(shift)).astype(np.int64)
    sizes = np.bincount(buckets)
    ends = np.cumsum(sizes)
    wanted = np.searchsorted(ends, places, side="right")
    kept = np.zeros(len(sizes), dtype=np.bool_)
    kept[wanted] = True
    ordered = np.sort(values[kept[buckets]])
    left_out = np.cumsum(np.where(kept, 0, sizes))
    return np.asarray(ordered[places - left_out[wanted]])


def nested_graphs(
    unpruned: harness.Graph,
    levels: Floats,
    scores: Floats,
    cutoffs: Floats,
    *,
    by_weight: bool = False,
) -> Iterator[harness.Graph]:
    """For each level, the graph of the edges that reach its cutoff; cutoffs must not decrease.

    scores: (edges,), in CSR order. A graph's threshold is the smallest weight in it, or the cutoff
    if the scores are weights (`by_weight`).
    """
    graph = unpruned
    for level, cutoff in zip(levels.tolist(), cutoffs.tolist(), strict=True):
        left = np.flatnonzero(scores >= cutoff)
        graph = graph.keeping(left, level=level, threshold=cutoff if by_weight else None)
        scores = graph.adjacency.data if by_weight else scores.take(left)
        yield graph


def ranks(unpruned: harness.Graph) -> Floats:
    """1 + the number of stronger edges from the same node, (n, n); inf without an edge."""
    from scipy.stats import rankdata

    weights = unpruned.adjacency.toarray()
    ranked: Floats = rankdata(-weights, method="min", axis=1).astype(np.float64)
    ranked[weights == 0] = np.inf
    return ranked
