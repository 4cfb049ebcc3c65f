"""The clusterer `sdp`: embeds and clusters the spins of every component."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, NamedTuple

import numpy as np

import harness
from harness import UNASSIGNED, Integers
from harness_plugins.clusterers.connected import connected_parts
from harness_plugins.clusterers.hdbscan import HDBSCAN
from harness_plugins.clusterers.sdp.embedding import embed
from harness_plugins.clusterers.sdp.embedding_clustering import (
    APPLIES_TO,
    EmbeddingClustering,
    Method,
)
from harness_plugins.clusterers.sdp.programme import Balance, check_balance
from harness_plugins.clusterers.sdp.spins import SpinSolution, check_search, solve_all
from harness_plugins.clusterers.sdp.weights import FEW_NODES
from harness_plugins.parameters import check_bounds

# Most entries of the weights of graphs that are solved together.
MOST_ENTRIES = 4_000_000


@dataclass(frozen=True)
class Sdp(harness.Clusterer):
    """SDP relaxation of community detection; HDBSCAN or another method clusters its spins.

    Javanmard, Montanari and Ricci-Tersenghi, PNAS 2016, on the undirected, unweighted graph. Each
    connected component is solved on its own, as balanced spins would separate components. A
    component is one cluster if it is too small for two (of min_cluster_size, or else 5 nodes), if
    it is a clique or a star, or if HDBSCAN or DBSCAN find no cluster in it. Nodes without edges are
    unassigned, as are nodes that HDBSCAN or DBSCAN call noise. Stored with the labels: `gap` and
    `imbalance`, the largest certified relative gap and ‖Σσ‖/n of any component; `iterations`, over
    all components; `unconverged`, the number of components that missed the tolerance.

    Parameters
    ----------
    rank
        dimensions of the spins.
    balance
        exact for Σσ = 0, penalty for the paper's −(γ/2)‖Σσ‖², none.
    gamma
        the penalty's γ; if not given, the paper's, twice the edges over the squared nodes.
    tolerance
        certified relative gap, and imbalance, that the spins must reach.
    max_iterations
        most products with the weights per component.
    variance
        fraction of the spins' variance in the embedding, which has at least two dimensions.
    clusterer
        method that clusters the embedding: hdbscan (of the package hdbscan, which only this method
        needs), hdbscan-sklearn (of scikit-learn), kmeans or dbscan. Each parameter below applies to
        some methods.
    min_cluster_size
        HDBSCAN's smallest cluster within a component; 5 if not given.
    min_samples
        number of neighbours that make a point dense; if not given, HDBSCAN's smallest cluster, and
        5 for dbscan.
    separation
        hdbscan does not separate clusters nearer than this, 0.05 if not given; spins have unit
        length.
    radius
        dbscan's ε, 0.3 if not given.
    clusters
        the k of kmeans, in each component; if not given, the number from 1 to 10 with the highest
        modularity on the undirected, unweighted component.
    """

    name: ClassVar[str] = "sdp"
    requires: ClassVar[harness.Requirement] = HDBSCAN
    rank: int = 40
    balance: Balance = "exact"
    gamma: float | None = None
    tolerance: float = 1e-4
    max_iterations: int = 5000
    variance: float = 0.9
    clusterer: Method = "hdbscan"
    min_cluster_size: int | None = None
    min_samples: int | None = None
    separation: float | None = None
    radius: float | None = None
    clusters: int | None = None

    def __post_init__(self) -> None:
        check_search(self.name, self.rank, self.tolerance, self.max_iterations)
        check_balance(self.balance, self.gamma)
        check_bounds(self, "variance", above=0, most=1)
        self._clustering()

    def requirement(self) -> harness.Requirement | None:
        """The package hdbscan, unless another method clusters the embedding."""
        return self.requires if self.clusterer == "hdbscan" else None

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Partition:
        """Labels (n,), −1 = unassigned, and diagnostics; warns if spins did not converge."""
        return next(self.cluster_sweep([graph], seed=seed))

    def cluster_sweep(
        self, graphs: Iterable[harness.Graph], *, seed: int
    ) -> Iterator[harness.Partition]:
        """Yield what `cluster` returns for each graph; spins of many graphs are solved together."""
        waiting = iter(graphs)
        while first := next(waiting, None):
            more = max(0, MOST_ENTRIES // max(1, first.n) ** 2 - 1)
            yield from self._clustered([first, *islice(waiting, more)], seed)

    def _clustered(self, graphs: list[harness.Graph], seed: int) -> Iterator[harness.Partition]:
        """Partitions of graphs whose spins are solved together."""
        clustering = self._clustering()
        parts = [_parts(graph, clustering.fewest_points) for graph in graphs]
        solutions = iter(
            solve_all(
                [part.weights for own in parts for part in own if part.weights is not None],
                rank=self.rank,
                balance=self.balance,
                gamma=self.gamma,
                tolerance=self.tolerance,
                max_iterations=self.max_iterations,
                seed=seed,
            )
        )
        for graph, own in zip(graphs, parts, strict=True):
            labels = np.full(graph.n, UNASSIGNED)
            solved = []
            for part in own:
                found = labels.max(initial=UNASSIGNED) + 1
                if part.weights is None:
                    labels[part.nodes] = found
                    continue
                solved.append(next(solutions))
                points = embed(solved[-1].spins, variance=self.variance)
                clusters = clustering.labels(points, part.weights, seed)
                labels[part.nodes] = np.where(clusters == UNASSIGNED, UNASSIGNED, found + clusters)
            yield self._partition(labels, solved)

    def _partition(self, labels: Integers, solutions: list[SpinSolution]) -> harness.Partition:
        """Labels with what their spins' solutions were like."""
        unconverged = sum(not solution.converged for solution in solutions)
        if unconverged:
            warnings.warn(
                f"sdp: the spins of {unconverged} component(s) did not reach the tolerance of "
                f"{self.tolerance:g}",
                stacklevel=2,
            )
        return harness.Partition(
            labels,
            {
                "gap": max((abs(solution.gap) for solution in solutions), default=0.0),
                "imbalance": max((solution.imbalance for solution in solutions), default=0.0),
                "iterations": sum(solution.iterations for solution in solutions),
                "unconverged": unconverged,
            },
        )

    def _clustering(self) -> EmbeddingClustering:
        """The method that clusters the embedding; raises HarnessError for invalid settings."""
        settings = {name: getattr(self, name) for name in APPLIES_TO}
        return EmbeddingClustering(self.clusterer, **settings)


class _Part(NamedTuple):
    """A connected component: its nodes (k,), and its weights (k, k) if it may be split."""

    nodes: Integers
    weights: Any


def _parts(graph: harness.Graph, fewest: int) -> list[_Part]:
    """The components of two nodes or more; those of `fewest` or more may be split."""
    weights = _undirected(graph)
    parts = []
    for nodes in connected_parts(graph):
        linked = None
        if len(nodes) >= fewest:
            linked = weights if len(nodes) == graph.n else weights[nodes][:, nodes]
            if _is_indifferent(linked):
                linked = None
        parts.append(_Part(nodes, linked))
    return parts


def _undirected(graph: harness.Graph) -> Any:
    """Weights (n, n) of 1 where i → j or j → i is an edge, i ≠ j; sparse for many nodes."""
    if graph.n >= FEW_NODES:
        return graph.symmetric_binary()
    edges = graph.adjacency.toarray() > 0
    edges |= edges.T
    np.fill_diagonal(edges, False)
    return edges.astype(np.float64)


def _is_indifferent(linked: Any) -> bool:
    """Whether all balanced spins of a component are optimal: if it is a clique or a star.

    Σ_ij w_ij σ_i·σ_j is the same for all of them if w_ij = a_i + a_j + c for i ≠ j.
    """
    degrees = linked.sum(axis=1)
    n, ends = len(degrees), degrees.sum()
    is_star = ends == 2 * (n - 1) and degrees.max() == n - 1
    return bool(is_star or ends == n * (n - 1))
