"""The connected parts of a graph, which some clusterers treat one by one."""

import numpy as np

import harness
from harness import Integers


def connected_parts(graph: harness.Graph) -> list[Integers]:
    """The nodes of every weakly connected component of two nodes or more."""
    order = np.argsort(graph.components, kind="stable")
    sizes = np.bincount(graph.components)
    return [nodes for nodes in np.split(order, np.cumsum(sizes)[:-1]) if len(nodes) > 1]
