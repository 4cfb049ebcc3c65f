"""Modularity of a partition of a weighted directed graph."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.errors import HarnessError
from harness.metrics.partition import InvalidLabelsError, check_labels, unassigned_as_singletons
from harness.plugin.graph import Graph
from harness.plugin.values import AttentionMap, Integers


def modularity(weights: Graph | NDArray[Any], labels: ArrayLike, resolution: float = 1.0) -> float:
    """Directed, weighted modularity Q of labels (n,) on a graph; NaN where there is no edge.

    Q = 1/m Σᵢⱼ [Aᵢⱼ − γ kᵢᵒᵘᵗ kⱼⁱⁿ / m] δ(cᵢ, cⱼ), with m = Σ A and γ the resolution (Leicht and
    Newman 2008, "Community structure in directed networks", where γ is 1), in time and memory of
    the order of the edges. Nodes labelled −1 (unassigned) are singletons.

    An array (n, n) is taken as it is, with its diagonal: self-loops count, whereas graph builders
    drop them unless told otherwise. Raises HarnessError if the weights are not square, not finite
    or negative, if the labels are not n integers ≥ −1, or the resolution is negative or infinite.
    """
    if not 0 <= resolution < np.inf:
        raise HarnessError(f"modularity: resolution must not be negative, not {resolution}")
    graph = _graph_of(weights)
    try:
        communities = unassigned_as_singletons(check_labels(np.asarray(labels), graph.n))
    except (InvalidLabelsError, ValueError) as error:
        raise HarnessError(f"modularity: {error}") from error
    return modularity_of(graph, communities, resolution)


def modularity_of(graph: Graph, communities: Integers, resolution: float) -> float:
    """`modularity` for communities (n,) that are known to be 0 … k − 1, every node in one."""
    if not graph.edges:
        return float("nan")
    flows = graph.adjacency.data
    total = flows.sum()
    sources = np.repeat(communities, np.diff(graph.adjacency.indptr))
    inside = sources == communities[graph.adjacency.indices]
    # Divided by m before they are multiplied: products of tiny weights would underflow.
    sent = np.bincount(communities, graph.out_strength / total)
    received = np.bincount(communities, graph.in_strength / total)
    return float(flows @ inside / total - resolution * (sent @ received))


def _graph_of(weights: Graph | NDArray[Any]) -> Graph:
    if isinstance(weights, Graph):
        return weights
    try:
        checked = AttentionMap(np.asarray(weights, dtype=np.float64)).weights
    except (TypeError, ValueError) as error:
        raise HarnessError(f"modularity takes a Graph or weights (n, n): {error}") from error
    return Graph.from_weights(checked, self_loops=True)
