"""Louvain on directed, weighted modularity, by networkx: the thesis' implementation."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness
from harness import Integers
from harness_plugins.parameters import check_bounds


@dataclass(frozen=True)
class LouvainNetworkx(harness.Clusterer):
    """Louvain: greedy directed modularity (networkx; slow, the thesis' implementation).

    Isolated nodes are singletons. networkx 3.6.1 and older do not terminate on some graphs, and no
    parameter prevents it: run it where it can be killed, as the harness does.

    Parameters
    ----------
    resolution
        the γ of modularity; larger values give smaller clusters.
    threshold
        smallest gain in modularity for which another level of merging is tried.
    """

    name: ClassVar[str] = "louvain-networkx"
    requires: ClassVar[harness.Requirement] = harness.NETWORKX
    resolution: float = 1.0
    threshold: float = 1e-7

    def __post_init__(self) -> None:
        check_bounds(self, "resolution", above=0)
        check_bounds(self, "threshold", least=0)

    def cluster(self, graph: harness.Graph, *, seed: int) -> Integers:
        """Labels (n,), every node assigned."""
        labels = np.arange(graph.n)
        if not graph.edges:
            return labels

        from networkx.algorithms.community import louvain_communities

        communities = louvain_communities(
            graph.to_networkx(), resolution=self.resolution, threshold=self.threshold, seed=seed
        )
        for label, members in enumerate(communities):
            labels[list(members)] = label
        return labels


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [LouvainNetworkx]
