"""The clusterer: spins of every component, embedded and clustered by density."""

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness
from harness import UNASSIGNED, Floats, Integers
from harness_plugins.clusterers.sdp.embedding import embed
from harness_plugins.clusterers.sdp.programme import Balance, check_balance
from harness_plugins.clusterers.sdp.spins import solve_spins


@dataclass(frozen=True)
class Sdp(harness.Clusterer):
    """SDP relaxation of community detection, its spins clustered by HDBSCAN.

    Javanmard, Montanari and Ricci-Tersenghi, PNAS 2016, on the graph without directions and
    weights. Each connected component is solved on its own, as balanced spins would otherwise
    set components against each other. A component too small to hold two clusters is one
    cluster; a node without edges is unassigned, as is a node that HDBSCAN calls noise. Stored
    with the labels: `gap` and `imbalance`, the largest of any component's certified relative
    gap and ‖Σσ‖/n; `iterations`, of all components together; `unconverged`, how many
    components missed the tolerance.

    rank: dimensions of the spins.
    balance: exact for Σσ = 0, penalty for the paper's −(γ/2)‖Σσ‖², none.
    gamma: the penalty's γ; if not given, the paper's, edges over squared nodes, twice.
    tolerance: certified relative gap, and imbalance, that the spins must reach.
    max_iterations: products with the weights that a component may take.
    variance: share of the spins' variance that the embedding keeps, in two dimensions or more.
    min_cluster_size: nodes of the smallest cluster to part off within a component.
    separation: clusters nearer than this are not parted; spins have unit length.
    """

    name: ClassVar[str] = "sdp"
    rank: int = 40
    balance: Balance = "exact"
    gamma: float | None = None
    tolerance: float = 1e-4
    max_iterations: int = 5000
    variance: float = 0.9
    min_cluster_size: int = 5
    separation: float = 0.05

    def __post_init__(self) -> None:
        if self.rank < 2:
            raise harness.HarnessError(f"sdp: rank must be at least 2, not {self.rank}")
        check_balance(self.balance, self.gamma)
        if not self.tolerance > 0:
            raise harness.HarnessError(f"sdp: tolerance must be positive, not {self.tolerance}")
        if self.max_iterations < 1:
            raise harness.HarnessError(
                f"sdp: max_iterations must be at least 1, not {self.max_iterations}"
            )
        if not 0 < self.variance <= 1:
            raise harness.HarnessError(
                f"sdp: variance must be above 0 and at most 1, not {self.variance}"
            )
        if self.min_cluster_size < 2:
            raise harness.HarnessError(
                f"sdp: min_cluster_size must be at least 2, not {self.min_cluster_size}"
            )
        if not 0 <= self.separation <= 2:
            raise harness.HarnessError(
                f"sdp: separation must lie between 0 and 2, not {self.separation}"
            )

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Partition:
        """Labels (n,), −1 = unassigned, and how well the programme was solved.

        Warns if a component's spins did not converge.
        """
        weights = graph.symmetric_binary()
        labels = np.full(graph.n, UNASSIGNED)
        gap, imbalance, iterations, unconverged = 0.0, 0.0, 0, 0
        for nodes in _components(graph):
            found = labels.max(initial=UNASSIGNED) + 1
            if len(nodes) < 2 * self.min_cluster_size:
                labels[nodes] = found
                continue
            solution = solve_spins(
                weights[nodes][:, nodes],
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
            parts = self._dense_parts(embed(solution.spins, variance=self.variance))
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

    def _dense_parts(self, points: Floats) -> Integers:
        """HDBSCAN's labels (n,) of points (n, d); −1 = noise."""
        import hdbscan

        # Of the library's exact algorithms the fastest here, and without worker processes.
        clustering = hdbscan.HDBSCAN(
            min_cluster_size=self.min_cluster_size,
            cluster_selection_epsilon=float(self.separation),
            algorithm="prims_kdtree",
            core_dist_n_jobs=1,
        )
        return np.asarray(clustering.fit_predict(points), dtype=np.int64)


def _components(graph: harness.Graph) -> list[Integers]:
    """The nodes of every weakly connected component of two nodes or more."""
    order = np.argsort(graph.components, kind="stable")
    sizes = np.bincount(graph.components)
    return [nodes for nodes in np.split(order, np.cumsum(sizes)[:-1]) if len(nodes) > 1]
