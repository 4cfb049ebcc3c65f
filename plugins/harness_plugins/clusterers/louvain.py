"""Louvain on directed, weighted modularity, by scikit-network."""

import importlib.util
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness
from harness import Integers
from harness_plugins.parameters import check_bounds

# Smallest gain in modularity for which the search continues; the default 1e-3 stops early.
TOLERANCE = 1e-7


@dataclass(frozen=True)
class Louvain(harness.Clusterer):
    """Louvain: greedy directed modularity (scikit-network; fast).

    Maximises the directed modularity of Leicht and Newman (2008) as Dugué and Perez do,
    "Directed Louvain" (2015). The library computes in single precision. Isolated nodes are
    singletons.

    resolution: the γ of modularity; larger values give smaller clusters.
    """

    name: ClassVar[str] = "louvain"
    resolution: float = 1.0

    def __post_init__(self) -> None:
        check_bounds(self, "resolution", above=0)
        # Checked here, without importing, so that a run fails before it begins.
        if importlib.util.find_spec("sknetwork") is None:
            raise harness.HarnessError(
                "louvain: the package scikit-network is missing, which not every version of Python "
                "has; pip install scikit-network, or choose louvain-networkx, which maximises the "
                "same modularity more slowly"
            )

    def cluster(self, graph: harness.Graph, *, seed: int) -> Integers:
        """Labels (n,), every node assigned."""
        if not graph.edges:
            return np.arange(graph.n)

        from scipy.sparse import csr_matrix
        from sknetwork.clustering import Louvain as Solver

        solver = Solver(
            resolution=self.resolution,
            modularity="dugue",
            tol_optimization=TOLERANCE,
            tol_aggregation=TOLERANCE,
            shuffle_nodes=True,
            random_state=seed,
            return_probs=False,
            return_aggregate=False,
        )
        labels = solver.fit_predict(csr_matrix(graph.adjacency))
        return np.asarray(labels, dtype=np.int64)


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [Louvain]
