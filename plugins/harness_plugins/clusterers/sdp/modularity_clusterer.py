"""The clusterer `sdp-modularity`: splits by spins of the modularity matrix, refined."""

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness
from harness import UNASSIGNED, Integers
from harness_plugins.clusterers.sdp.modularity import bound_of_partitions, modularity_weights
from harness_plugins.clusterers.sdp.refinement import refined
from harness_plugins.clusterers.sdp.spins import check_search, solve_spins
from harness_plugins.clusterers.sdp.splitting import split
from harness_plugins.parameters import check_bounds


@dataclass(frozen=True)
class SdpModularity(harness.Clusterer):
    """SDP relaxation of directed, weighted modularity, with a proven upper bound.

    Solves the programme of `sdp` with the symmetrised modularity matrix of Leicht and Newman (2008)
    as weights, without balance, as the matrix accounts for degrees. Hyperplanes split the nodes by
    their spins, then each part by the spins of its own programme, as long as modularity rises. Then
    nodes move and communities merge, as long as modularity rises. A node without edges is
    unassigned. Stored with the labels: their `modularity`; `bound`, an upper bound of the
    modularity of any partition with any number of communities; the relative `gap` of the solution
    from which the bound is computed; `iterations`, products with the weights; `unconverged`, 1 if
    the tolerance was missed.

    Parameters
    ----------
    resolution
        the γ of modularity; larger values give smaller clusters.
    rank
        dimensions of the spins.
    tolerance
        certified relative gap that the spins must reach.
    max_iterations
        most products with the weights.
    """

    name: ClassVar[str] = "sdp-modularity"
    resolution: float = 1.0
    rank: int = 40
    tolerance: float = 1e-4
    max_iterations: int = 5000

    def __post_init__(self) -> None:
        check_bounds(self, "resolution", above=0)
        check_search(self.name, self.rank, self.tolerance, self.max_iterations)

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Partition:
        """Labels (n,), −1 = isolated, and the bound; warns if the spins did not converge."""
        labels = np.full(graph.n, UNASSIGNED)
        nodes = np.flatnonzero(~graph.isolated)
        if not len(nodes):
            return harness.Partition(labels)
        weights = modularity_weights(graph, self.resolution, nodes)
        solution = solve_spins(
            weights,
            rank=self.rank,
            balance="none",
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
            seed=seed,
        )
        if not solution.converged:
            warnings.warn(
                f"sdp-modularity: the spins did not reach the tolerance of {self.tolerance:g}",
                stacklevel=2,
            )
        parts = split(weights, solution.spins, np.random.default_rng(seed))
        labels[nodes] = _connected(graph, nodes, refined(weights, parts))
        alone = modularity_weights(graph, self.resolution, np.flatnonzero(graph.isolated))
        # Nodes without edges to others contribute modularity if they have self-loops.
        loops = float((alone.observed.diagonal() - alone.sent * alone.received).sum())
        return harness.Partition(
            labels,
            {
                "modularity": harness.modularity(graph, labels, self.resolution),
                "bound": loops + bound_of_partitions(2 * solution.bound, weights),
                "gap": abs(solution.gap),
                "iterations": solution.iterations,
                "unconverged": int(not solution.converged),
            },
        )


def _connected(graph: harness.Graph, nodes: Integers, labels: Integers) -> Integers:
    """Split disconnected communities of some nodes (k,), which only raises modularity."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = coo_array(graph.adjacency[nodes][:, nodes])
    inside = labels[edges.row] == labels[edges.col]
    within = coo_array(
        (edges.data[inside], (edges.row[inside], edges.col[inside])), shape=edges.shape
    )
    _, pieces = connected_components(within, directed=True, connection="weak")
    return np.asarray(pieces, dtype=np.int64)
