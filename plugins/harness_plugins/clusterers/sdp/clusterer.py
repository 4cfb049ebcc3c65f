"""The clusterer `sdp`: embeds and clusters the spins of every component."""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

import harness
from harness import UNASSIGNED
from harness_plugins.clusterers.connected import connected_parts
from harness_plugins.clusterers.sdp.embedding import embed
from harness_plugins.clusterers.sdp.embedding_clustering import (
    APPLIES_TO,
    EmbeddingClustering,
    Method,
)
from harness_plugins.clusterers.sdp.programme import Balance, check_balance
from harness_plugins.clusterers.sdp.spins import check_search, solve_spins
from harness_plugins.parameters import check_bounds

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True)
class Sdp(harness.Clusterer):
    """SDP relaxation of community detection, its spins clustered by HDBSCAN or another.

    Javanmard, Montanari and Ricci-Tersenghi, PNAS 2016, on the undirected, unweighted graph. Each
    connected component is solved on its own, as balanced spins would otherwise separate
    components from each other. A component that is not split is one cluster: if it is too small
    for two (of min_cluster_size, or else 5 nodes), if nothing speaks for a split, as in a clique
    and a star, or if HDBSCAN or DBSCAN find no cluster in it. A node without edges is unassigned,
    as is a node that HDBSCAN or DBSCAN call noise beside clusters. Stored with the labels: `gap`
    and `imbalance`, the largest certified relative gap and ‖Σσ‖/n of any component; `iterations`,
    over all components; `unconverged`, the number of components that missed the tolerance.

    rank: dimensions of the spins.
    balance: exact for Σσ = 0, penalty for the paper's −(γ/2)‖Σσ‖², none.
    gamma: the penalty's γ; if not given, the paper's, twice the edges over the squared nodes.
    tolerance: certified relative gap, and imbalance, that the spins must reach.
    max_iterations: most products with the weights per component.
    variance: fraction of the spins' variance in the embedding, which has at least two dimensions.
    clusterer: method that clusters the embedding: hdbscan, of the package of that name;
        hdbscan-sklearn, scikit-learn's; kmeans; dbscan. Each setting below applies to some.
    min_cluster_size: HDBSCAN's smallest cluster within a component; 5 if not given.
    min_samples: number of neighbours that make a point dense; if not given, HDBSCAN's smallest
        cluster, and 5 for dbscan.
    separation: hdbscan does not separate clusters nearer than this, 0.05 if not given; spins have
        unit length.
    radius: dbscan's ε, 0.3 if not given.
    clusters: the k of kmeans, in each component; if not given, the number from 1 to 10 with the
        highest modularity on the undirected, unweighted component.
    """

    name: ClassVar[str] = "sdp"
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

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Partition:
        """Labels (n,), −1 = unassigned, and diagnostics; warns if spins did not converge."""
        embedding_clustering = self._clustering()
        weights = graph.symmetric_binary()
        labels = np.full(graph.n, UNASSIGNED)
        solutions = []
        for nodes in connected_parts(graph):
            found = labels.max(initial=UNASSIGNED) + 1
            linked = weights[nodes][:, nodes]
            if len(nodes) < embedding_clustering.fewest_points or _is_indifferent(linked):
                labels[nodes] = found
                continue
            solution = solve_spins(
                linked,
                rank=self.rank,
                balance=self.balance,
                gamma=self.gamma,
                tolerance=self.tolerance,
                max_iterations=self.max_iterations,
                seed=seed,
            )
            solutions.append(solution)
            points = embed(solution.spins, variance=self.variance)
            parts = embedding_clustering.labels(points, linked, seed)
            labels[nodes] = np.where(parts == UNASSIGNED, UNASSIGNED, found + parts)
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


def _is_indifferent(linked: "csr_array[Any, Any]") -> bool:
    """Whether all balanced spins of a component are optimal: if it is a clique or a star.

    Σ_ij w_ij σ_i·σ_j is the same for all of them if w_ij = a_i + a_j + c for i ≠ j.
    """
    n = linked.shape[0]
    is_star = linked.nnz == 2 * (n - 1) and np.diff(linked.indptr).max() == n - 1
    return bool(is_star) or linked.nnz == n * (n - 1)
