"""Infomap: the two-level map equation on the directed, weighted graph."""

from dataclasses import dataclass
from importlib import import_module
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
    per step. The library is GPL.

    Parameters
    ----------
    trials
        number of independent searches. The result with the shortest code is used. Take 10 for
        published results.
    """

    name: ClassVar[str] = "infomap"
    requires: ClassVar[harness.Requirement] = harness.Requirement(
        "attention-harness[infomap]", ("infomap",)
    )
    trials: int = 1

    def __post_init__(self) -> None:
        check_bounds(self, "trials", least=1)

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Partition:
        """Labels (n,), every node assigned, and the code lengths."""
        if not graph.edges:
            return harness.Partition(np.arange(graph.n))

        # The compiled object: the library's Python layer takes half as long as the search. A new
        # one for each graph, since the search is slower in memory that others have used.
        try:
            compiled = import_module("infomap._core").InfomapWrapper
        except (ImportError, AttributeError) as error:
            raise harness.HarnessError(
                f"infomap: needs another version of infomap ({error}); {self.requires.command()}"
            ) from error

        network = compiled(
            "--silent --no-file-output --directed --two-level"
            f" --seed {seed + 1} --num-trials {self.trials}"  # the library's seeds start at 1
        )
        links = np.empty((graph.edges, 3))
        links[:, 0], links[:, 1] = graph.rows, graph.adjacency.indices
        links[:, 2] = graph.adjacency.data
        network.addLinksFromNumpy2D(links, *links.shape, links.dtype.kind, links.itemsize)
        # Without them the library would draw another random order of the nodes.
        for node in np.flatnonzero(graph.isolated).tolist():
            network.addNode(node)
        network.run()

        modules = network.getModules()
        labels = np.array([modules[node] for node in range(graph.n)])
        # No flow reaches isolated nodes, so the library puts them into arbitrary modules.
        labels[graph.isolated] = labels.max() + 1 + np.arange(graph.isolated.sum())
        return harness.Partition(
            labels,
            {
                "codelength": network.codelength(),
                "one_level_codelength": network.getOneLevelCodelength(),
            },
        )


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [Infomap]
