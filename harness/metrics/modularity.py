"""Modularity of a partition of a weighted directed graph."""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from harness.errors import WrongValueError
from harness.metrics.partition import InvalidLabelsError, check_labels, unassigned_as_singletons
from harness.metrics.ties import difference, exceeds, ranks_of
from harness.plugin.arguments import convert
from harness.plugin.graph import Graph, with_arrays
from harness.plugin.values import AttentionMap, Floats, Integers


def modularity(weights: Graph | ArrayLike, labels: ArrayLike, resolution: float = 1.0) -> float:
    """Compute the modularity of a partition of a weighted directed graph.

    Q = 1/m Σᵢⱼ [Aᵢⱼ − γ kᵢᵒᵘᵗ kⱼⁱⁿ / m] δ(cᵢ, cⱼ), where m = Σᵢⱼ Aᵢⱼ is the total weight, kᵒᵘᵗ and
    kⁱⁿ are the strengths of the nodes, and γ is the resolution. Time and memory are linear in the
    number of edges.

    Parameters
    ----------
    weights : Graph, AttentionMap or ndarray, shape (n, n)
        The graph, or its weights: row i holds the edges that leave node i. The diagonal of weights
        counts as self-loops.
    labels : array_like of int, shape (n,)
        The cluster of each node, as a clusterer returns it. Each node labelled −1 (unassigned)
        is a cluster of its own.
    resolution : float, default 1.0
        γ ≥ 0; a larger value favours smaller clusters.

    Returns
    -------
    float
        Q, at most 1; 0 where its two terms differ by rounding alone. NaN if the graph has no edge.

    Raises
    ------
    HarnessError
        If the weights are not square, not finite or negative, the labels are not n integers ≥ −1,
        or the resolution is negative or not finite.

    References
    ----------
    Leicht and Newman 2008, "Community structure in directed networks", where γ is 1.

    Examples
    --------
    >>> two_pairs = np.kron(np.eye(2), np.ones((2, 2)))
    >>> harness.modularity(two_pairs, [0, 0, 1, 1])
    0.5
    >>> harness.modularity(two_pairs, [0, 0, 0, 0])
    0.0
    """
    resolution = convert("modularity: resolution", resolution, float)
    if not 0 <= resolution < np.inf:
        raise WrongValueError(f"modularity: resolution must not be negative, not {resolution}")
    graph = _graph_of(weights)
    try:
        communities = unassigned_as_singletons(check_labels(np.asarray(labels), graph.n))
    except (InvalidLabelsError, ValueError) as error:
        raise WrongValueError(f"modularity: {error}") from error
    return modularity_of(graph, communities, resolution)


def modularity_of(graph: Graph, communities: Integers, resolution: float) -> float:
    """`modularity` of valid communities (n,), numbered 0 … k − 1 with every node assigned."""
    if not graph.edges:
        return math.nan
    inside, expected = _shares(graph, communities, _inside(graph, communities))
    return float(difference(inside, resolution * expected))


class UnprunedMap:
    """The graph of a whole map, on which the clusters of all its levels are scored."""

    def __init__(self, attention: AttentionMap) -> None:
        # A copy, since this outlives cells, and would keep the file of a map open.
        self._weights = np.array(attention.weights)
        # With and without self-loops: itself, and with ranks as weights.
        self._graphs: dict[bool, tuple[Graph, Graph]] = {}

    def scores(
        self, communities: Integers, resolution: float, *, self_loops: bool
    ) -> tuple[float, float]:
        """Modularity, and Z-modularity where each weight is replaced by its rank.

        Of valid communities (n,), numbered 0 … k − 1; NaN if the graph has no edge. With
        `self_loops` it has the map's diagonal, as the graphs of some builders.
        """
        if self_loops not in self._graphs:
            made = Graph.from_weights(self._weights, self_loops=self_loops)
            self._graphs[self_loops] = made, ranked(made)
        graph, by_rank = self._graphs[self_loops]
        if not graph.edges:
            return math.nan, math.nan
        # Both have the same edges.
        inside = _inside(graph, communities)
        share, expected = _shares(graph, communities, inside)
        z = z_modularity(by_rank, communities, inside)
        return float(difference(share, resolution * expected)), z


def z_modularity(graph: Graph, communities: Integers, inside: Floats | None = None) -> float:
    """Compute the Z-modularity of valid communities (n,), numbered 0 … k − 1.

    inside: 1 for each edge inside a community, 0 for others, (edges,), if that is known.

    (F − E) / √(E (1 − E)), where F is the share of the weight inside communities, and E what the
    strengths of the nodes let expect: modularity is F − E. So it is how far F is above E in
    standard deviations of a single random edge, which keeps many small communities from being
    merged as they are by modularity alone. 0 for a single community; NaN if the graph has no edge.

    References
    ----------
    Miyauchi and Kawase 2016, "Z-score-based modularity for community detection in networks",
    PLoS ONE 11; here directed and weighted.
    """
    if not graph.edges:
        return math.nan
    inside = _inside(graph, communities) if inside is None else inside
    share, expected = _shares(graph, communities, inside)
    if not exceeds(1.0, expected) or not expected:
        return 0.0
    return float(difference(share, expected)) / math.sqrt(expected * (1 - expected))


def _inside(graph: Graph, communities: Integers) -> Floats:
    """1 for each edge inside a community, 0 for others, (edges,)."""
    short = communities.astype(np.int16 if graph.n < 2**15 else np.int64)
    if graph.edges == graph.n * (graph.n - 1) and not graph.self_loops:
        # In a complete graph the edges are all pairs but the diagonal, row by row.
        same = short[:, None] == short
        beside_diagonal = same.ravel()[1:].reshape(graph.n - 1, graph.n + 1)[:, :-1]
        return np.asarray(beside_diagonal, dtype=np.float64).ravel()
    sources = np.repeat(short, np.diff(graph.adjacency.indptr))
    return np.asarray(sources == short.take(graph.adjacency.indices), dtype=np.float64)


def _shares(graph: Graph, communities: Integers, inside: Floats) -> tuple[float, float]:
    """The share of the weight inside communities, and what strengths let expect."""
    # Dividing by m before multiplying keeps products of tiny weights from underflow.
    sent = np.bincount(communities, graph.out_strength / graph.total)
    received = np.bincount(communities, graph.in_strength / graph.total)
    return float(graph.adjacency.data @ inside / graph.total), float(sent @ received)


def ranked(graph: Graph) -> Graph:
    """The graph with each weight replaced by its rank: 1 is the weakest, ties share their mean.

    An edge of rank r is in r of the graphs that are left as the weakest edges are dropped one by
    one, and so these ranks are the weights of their sum. They depend on the order of the weights
    only, as pruning does.
    """
    adjacency = graph.adjacency
    ranks = ranks_of(adjacency.data)
    same_edges = with_arrays(adjacency, ranks, adjacency.indices, adjacency.indptr)
    return replace(graph, adjacency=same_edges)


def _graph_of(weights: Graph | ArrayLike) -> Graph:
    if isinstance(weights, Graph):
        return weights
    try:
        checked = AttentionMap(np.asarray(weights, dtype=np.float64)).weights
    except (TypeError, ValueError) as error:
        raise WrongValueError(f"modularity takes a Graph or weights (n, n): {error}") from error
    return Graph.from_weights(checked, self_loops=True)
