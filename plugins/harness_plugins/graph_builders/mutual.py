"""Graphs of the edges that are among the strongest of both their nodes."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness
from harness import Floats
from harness_plugins.graph_builders.pruning import FractionSweep, ranks


@dataclass(frozen=True)
class Mutual(FractionSweep):
    """Mutual k-nearest neighbours: i → j and j → i stay if each is among its node's k strongest.

    As in Brito, Chávez, Quiroz and Yukich, "Connectivity of the mutual k-nearest-neighbor graph",
    1997, with attention as proximity; both edges have their own weights. A patch to which all
    attend (a sink) attends back to few, so its edges are dropped first, and many patches become
    isolated. A level is the fraction of all n(n − 1) pairs that is dropped, rounded down: k is the
    smallest number for which the rest stays. So a map and its controls are about equally dense at
    each level. Ties stay; an edge without its reverse is in no graph, not even at level 0. A
    graph's threshold is the smallest weight in it. No self-loops.

    Parameters
    ----------
    stop
        the last level; at the default 0.9, one patch in seven is isolated on the last layer of
        DINOv2-small, and at 0.98 two in five.
    """

    name: ClassVar[str] = "mutual"
    stop: float = 0.9

    def _scores(self, unpruned: harness.Graph) -> Floats:
        own = ranks(unpruned)
        return np.asarray(-np.maximum(own, own.T)[unpruned.rows, unpruned.adjacency.indices])


@harness.hookimpl
def harness_graph_builders() -> list[type[harness.GraphBuilder]]:
    return [Mutual]
