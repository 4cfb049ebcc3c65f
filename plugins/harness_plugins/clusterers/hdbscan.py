"""HDBSCAN on the rows of the pruned map: a baseline without a graph."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness
from harness import UNASSIGNED, Integers
from harness_plugins.parameters import check_bounds

# Also what `sdp` needs by default, whose name the extra has.
HDBSCAN = harness.Requirement("attention-harness[sdp]", ("hdbscan",))


@dataclass(frozen=True)
class Hdbscan(harness.Clusterer):
    """HDBSCAN on the rows of the pruned map: what patches attend to (the package hdbscan).

    A baseline. Campello, Moulavi and Sander (2013). Patches that attend to the same patches are
    similar, whether or not they attend to each other, so a cluster may extend over several
    components of the graph. Noise and isolated nodes are unassigned, as are all nodes if there
    are too few for two clusters.

    Parameters
    ----------
    min_cluster_size
        smallest number of nodes in a cluster.
    min_samples
        number of neighbours that make a point dense; if not given, min_cluster_size.
    """

    name: ClassVar[str] = "hdbscan"
    requires: ClassVar[harness.Requirement] = HDBSCAN
    min_cluster_size: int = 5
    min_samples: int | None = None

    def __post_init__(self) -> None:
        check_bounds(self, "min_cluster_size", least=2)
        check_bounds(self, "min_samples", least=1)

    def cluster(self, graph: harness.Graph, *, seed: int) -> Integers:
        """Labels (n,), −1 = unassigned; they do not depend on the seed."""
        labels = np.full(graph.n, UNASSIGNED)
        linked = ~graph.isolated
        rows = graph.adjacency.toarray()[linked]
        if len(rows) < 2 * self.min_cluster_size:
            return labels

        import hdbscan

        clustering = hdbscan.HDBSCAN(
            min_cluster_size=self.min_cluster_size,
            # The library refuses more than there are neighbours.
            min_samples=min(self.min_samples or self.min_cluster_size, len(rows) - 1),
            algorithm="prims_kdtree",
            core_dist_n_jobs=1,
        )
        labels[linked] = clustering.fit_predict(rows)
        return labels


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [Hdbscan]
