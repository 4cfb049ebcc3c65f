"""Modularity of a partition of a weighted directed graph."""

import math
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.errors import WrongValueError
from harness.metrics.partition import InvalidLabelsError, check_labels, unassigned_as_singletons
from harness.metrics.ties import ranks_of, single_difference
from harness.plugin.arguments import convert
from harness.plugin.graph import Graph, with_arrays
from harness.plugin.values import AttentionMap, Floats, Integers

# A graph with an edge for every so many pairs of nodes, or more edges, is scored as a matrix.
FEW_EDGES = 16


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
        Q, at most 1; 0 if its two terms differ only by rounding. NaN if the graph has no edge.

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
    return ScoredGraph(graph).modularity(Pairs(communities), resolution)


class Pairs:
    """Which pairs of nodes are in one community: what several graphs are scored with.

    communities: valid, (n,), numbered 0 … k − 1 with every node assigned.
    """

    def __init__(self, communities: Integers) -> None:
        self.communities = communities

    @cached_property
    def sizes(self) -> Integers:
        """The number of nodes in each community, (k,)."""
        return np.bincount(self.communities)

    @cached_property
    def together(self) -> Floats:
        """1 for nodes of one community, 0 for others, (n, n)."""
        short = self._short
        return np.asarray(short[:, None] == short, dtype=np.float64)

    def joined(self, sources: Integers, targets: Integers) -> Floats:
        """1 for edges inside a community, 0 for others, (edges,)."""
        short = self._short
        return np.asarray(short.take(sources) == short.take(targets), dtype=np.float64)

    @property
    def _short(self) -> NDArray[np.integer[Any]]:
        # Short integers are compared several times as fast.
        return self.communities.astype(np.int16 if len(self.communities) < 2**15 else np.int64)


class ScoredGraph:
    """A graph that partitions of its nodes are scored on."""

    def __init__(self, graph: Graph) -> None:
        self._is_empty = not graph.edges
        self._total = graph.total
        # Where each of the weights stands if they are of edges; else they are of all pairs.
        self._ends: tuple[Integers, Integers] | None = None
        self._weights: Floats = graph.adjacency.data
        if graph.edges * FEW_EDGES < graph.n**2:
            self._ends = graph.rows, graph.adjacency.indices
            sent, received = graph.out_strength, graph.in_strength
        else:
            # A pass over all pairs takes less time than looking up the nodes of half as many edges.
            self._weights = graph.adjacency.toarray()
            ones = np.ones(graph.n)
            sent, received = self._weights @ ones, ones @ self._weights
        # Dividing by the total before multiplying keeps products of tiny weights from underflow.
        total = self._total or 1.0
        self._sent, self._received = sent / total, received / total

    def modularity(self, pairs: Pairs, resolution: float) -> float:
        """The modularity of a partition; NaN if the graph has no edge."""
        if self._is_empty:
            return math.nan
        inside, expected = self._shares(pairs)
        return single_difference(inside, resolution * expected)

    def z_modularity(self, pairs: Pairs) -> float:
        """Compute the Z-modularity of a partition.

        (F − E) / √(E (1 − E)), where F is the fraction of the weight inside communities, and E the
        fraction that is expected from the strengths of the nodes. So it is modularity, F − E, in
        standard deviations of a single random edge. Unlike modularity, it does not favour merging
        many small communities. 0 for a single community; NaN if the graph has no edge.

        References
        ----------
        Miyauchi and Kawase 2016, "Z-score-based modularity for community detection in networks",
        PLoS ONE 11; here directed and weighted.
        """
        if self._is_empty:
            return math.nan
        inside, expected = self._shares(pairs)
        if single_difference(1.0, expected) <= 0 or not expected:
            return 0.0
        return single_difference(inside, expected) / math.sqrt(expected * (1 - expected))

    def _shares(self, pairs: Pairs) -> tuple[float, float]:
        """The share of the weight inside communities, and what strengths let expect."""
        sent = np.bincount(pairs.communities, self._sent)
        received = np.bincount(pairs.communities, self._received)
        inside = pairs.together if self._ends is None else pairs.joined(*self._ends)
        share = np.vdot(self._weights, inside) / self._total
        return float(share), float(sent @ received)


class UnprunedMap:
    """The graph of a whole map, on which the clusters of all its levels are scored."""

    def __init__(self, attention: AttentionMap) -> None:
        # A copy, since this outlives cells, and would keep the file of a map open.
        self._weights = np.array(attention.weights)
        # With and without self-loops: itself, and with ranks as weights.
        self._graphs: dict[bool, tuple[ScoredGraph, ScoredGraph]] = {}

    def scores(self, pairs: Pairs, resolution: float, *, self_loops: bool) -> tuple[float, float]:
        """Modularity, and Z-modularity where each weight is replaced by its rank.

        NaN if the graph has no edge. With `self_loops` it has the map's diagonal, as the graphs of
        some builders.
        """
        if self_loops not in self._graphs:
            made = Graph.from_weights(self._weights, self_loops=self_loops)
            self._graphs[self_loops] = ScoredGraph(made), ScoredGraph(ranked(made))
        graph, by_rank = self._graphs[self_loops]
        return graph.modularity(pairs, resolution), by_rank.z_modularity(pairs)


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
