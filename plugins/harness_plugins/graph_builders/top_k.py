"""Graphs of every node's strongest outgoing edges."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness
from harness import Floats
from harness_plugins.graph_builders.pruning import FractionSweep, dropped, ranks


@dataclass(frozen=True)
class TopK(FractionSweep):
    """Keeps each node's k strongest outgoing edges: a directed k-nearest-neighbour graph.

    Unlike with `threshold`, no node loses all its outgoing edges, however evenly it attends. A
    level is the fraction of a node's n − 1 possible outgoing edges that is dropped, rounded
    down: k = n − 1 − ⌊level·(n − 1)⌋, at least 1. Edges as heavy as the k-th stay too, and
    weights of zero are never edges. Without ties and zeros the density is that of `threshold` at
    the same level. A graph's threshold is the smallest weight in it. No self-loops.
    """

    name: ClassVar[str] = "top-k"

    def _scores(self, unpruned: harness.Graph) -> Floats:
        return np.asarray(-ranks(unpruned)[unpruned.rows, unpruned.adjacency.indices])

    def _cutoffs(self, levels: Floats, scores: Floats, unpruned: harness.Graph) -> Floats:
        others = unpruned.n - 1
        return np.asarray(dropped(levels, others) - others, dtype=np.float64)


@harness.hookimpl
def harness_graph_builders() -> list[type[harness.GraphBuilder]]:
    return [TopK]
