"""Infomap: the two-level map equation on the directed, weighted graph."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness
from harness_plugins.parameters import check_bounds


@dataclass(frozen=True)
class Infomap(harness.Clusterer):
    """Infomap: shortest two-level description of a random walk (the map equation).

    Rosvall and Bergstrom, PNAS 2008. It minimises the code length and does not use modularity; on
    dense graphs it often finds a single module. Isolated nodes are singletons. Stored with the
    labels: `codelength` of the partition and `one_level_codelength` without a partition, in bits
    per step.

    trials: number of independent searches, of which the shortest code is used; take 10 for
        published results.
    """

    name: ClassVar[str] = "infomap"
    trials: int = 1

    def __post_init__(self) -> None:
        check_bounds(self, "trials", least=1)

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Partition:
        """Labels (n,), every node assigned, and the code lengths."""
        if not graph.edges:
            return harness.Partition(np.arange(graph.n))

        import infomap

        network = infomap.Network()
        network.add_nodes(range(graph.n))
        network.add_links(
            np.column_stack([graph.rows, graph.adjacency.indices, graph.adjacency.data])
        )
        result = infomap.run(
            network,
            directed=True,
            two_level=True,
            seed=seed + 1,  # the library's seeds start at 1
            num_trials=self.trials,
        )
        modules = result.modules()
        labels = np.array([modules[node] for node in range(graph.n)])
        # No flow reaches isolated nodes, so the library puts them into arbitrary modules.
        labels[graph.isolated] = labels.max() + 1 + np.arange(graph.isolated.sum())
        return harness.Partition(
            labels,
            {"codelength": result.codelength, "one_level_codelength": result.one_level_codelength},
        )


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [Infomap]
