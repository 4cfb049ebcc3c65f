"""The clusterer: spins of every component, embedded and clustered."""

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness
from harness import UNASSIGNED
from harness_plugins.clusterers.connected import connected_parts
from harness_plugins.clusterers.sdp.embedding import embed
from harness_plugins.clusterers.sdp.embedding_clustering import EmbeddingClustering, Method
from harness_plugins.clusterers.sdp.programme import Balance, check_balance
from harness_plugins.clusterers.sdp.spins import check_search, solve_spins
from harness_plugins.parameters import check_bounds


@dataclass(frozen=True)
class Sdp(harness.Clusterer):
    """SDP relaxation of community detection, its spins clustered by HDBSCAN or another.

    Javanmard, Montanari and Ricci-Tersenghi, PNAS 2016, on the graph without directions and
    weights. Each connected component is solved on its own, as balanced spins would otherwise
    set components against each other. A component too small to hold two clusters (of
    min_cluster_size or else 5 nodes) is one cluster; a node without edges is unassigned, as is a
    node that HDBSCAN or DBSCAN calls noise. Stored
    with the labels: `gap` and `imbalance`, the largest of any component's certified relative
    gap and ‖Σσ‖/n; `iterations`, of all components together; `unconverged`, how many
    components missed the tolerance.

    rank: dimensions of the spins.
    balance: exact for Σσ = 0, penalty for the paper's −(γ/2)‖Σσ‖², none.
    gamma: the penalty's γ; if not given, the paper's, edges over squared nodes, twice.
    tolerance: certified relative gap, and imbalance, that the spins must reach.
    max_iterations: products with the weights that a component may take.
    variance: share of the spins' variance that the embedding keeps, in two dimensions or more.
    clusterer: what parts the embedding: hdbscan, of the package of that name; hdbscan-sklearn,
        scikit-learn's; kmeans; dbscan. The settings below each go with some of these.
    min_cluster_size: HDBSCAN's smallest cluster to part off within a component; 5 if not given.
    min_samples: neighbours that make a point dense; if not given, HDBSCAN's smallest cluster,
        and 5 for dbscan.
    separation: hdbscan does not part clusters nearer than this, 0.05 if not given; spins have
        unit length.
    radius: dbscan's ε, 0.3 if not given.
    clusters: the k of kmeans, in each component; if not given, that of 1 to 10 which has the
        highest modularity on the component, directions and weights left out.
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
        self._parting()

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Partition:
        """Labels (n,), −1 = unassigned, and how well the programme was solved.

        Warns if a component's spins did not converge.
        """
        embedding_clustering = self._parting()
        weights = graph.symmetric_binary()
        labels = np.full(graph.n, UNASSIGNED)
        gap, imbalance, iterations, unconverged = 0.0, 0.0, 0, 0
        for nodes in connected_parts(graph):
            found = labels.max(initial=UNASSIGNED) + 1
            if len(nodes) < embedding_clustering.fewest_points:
                labels[nodes] = found
                continue
            linked = weights[nodes][:, nodes]
            solution = solve_spins(
                linked,
                rank=self.rank,
                balance=self.balance,
                gamma=self.gamma,
                tolerance=self.tolerance,
                max_iterations=self.max_iterations,
                seed=seed,
            )
            gap = max(gap, abs(solution.gap))
            imbalance = max(imbalance, solution.imbalance)
            iterations += solution.iterations
            unconverged += not solution.converged
            points = embed(solution.spins, variance=self.variance)
            parts = embedding_clustering.labels(points, linked, seed)
            labels[nodes] = np.where(parts == UNASSIGNED, UNASSIGNED, found + parts)
        if unconverged:
            warnings.warn(
                f"sdp: the spins of {unconverged} component(s) did not reach the tolerance of "
                f"{self.tolerance:g}",
                stacklevel=2,
            )
        return harness.Partition(
            labels,
            {
                "gap": gap,
                "imbalance": imbalance,
                "iterations": iterations,
                "unconverged": unconverged,
            },
        )

    def _parting(self) -> EmbeddingClustering:
        """How the embedding is parted, its settings checked."""
        return EmbeddingClustering(
            self.clusterer,
            self.min_cluster_size,
            self.min_samples,
            self.separation,
            self.radius,
            self.clusters,
        )
