from collections.abc import Callable
from typing import Any

import igraph
import leidenalg
import networkx
import numpy as np
import pytest

import harness
from harness_plugins.clusterers.leiden import Leiden
from harness_plugins.clusterers.louvain import Louvain


def test_modularity_is_what_the_library_says_it_climbed_to(planted: Callable[..., Any]) -> None:
    graph, _ = planted((25, 35, 40), inside=0.2, across=0.1)
    labels = Leiden().cluster(graph, seed=0)
    partition = leidenalg.ModularityVertexPartition(
        igraph.Graph(graph.n, list(zip(graph.rows, graph.adjacency.indices, strict=True)), True),
        initial_membership=labels.tolist(),
        weights=graph.adjacency.data.tolist(),
    )
    assert harness.modularity(graph, labels) == pytest.approx(partition.quality(), abs=1e-9)
    assert leidenalg.Optimiser().move_nodes(partition) == 0


@pytest.mark.parametrize(("inside", "across"), [(0.5, 0.05), (0.2, 0.1), (0.15, 0.15)])
def test_modularity_is_no_lower_than_that_of_louvain(
    inside: float, across: float, planted: Callable[..., Any]
) -> None:
    graph, _ = planted((25, 35, 40), inside=inside, across=across)
    leiden, louvain = (
        np.mean([harness.modularity(graph, method.cluster(graph, seed=s)) for s in range(5)])
        for method in (Leiden(), Louvain())
    )
    assert leiden >= louvain - 1e-3


def test_communities_are_connected(planted: Callable[..., Any]) -> None:
    graph, _ = planted((60,), inside=0.04)
    labels = Leiden().cluster(graph, seed=0)
    undirected = graph.to_networkx().to_undirected()
    for label in np.unique(labels):
        assert networkx.is_connected(undirected.subgraph(np.flatnonzero(labels == label)))


def test_directions_count() -> None:
    # As in the test of louvain: without directions no partition beats a single cluster.
    weights = np.array(
        [[0, 0, 1, 0, 0], [1, 0, 1, 1, 1], [1, 0, 0, 0, 0], [0, 0, 1, 0, 1], [1, 0, 1, 0, 0]]
    )
    graph = harness.Graph.from_weights(weights)
    assert harness.modularity(graph, Leiden().cluster(graph, seed=0)) == pytest.approx(0.12)


def test_a_higher_resolution_finds_more_clusters(planted: Callable[..., Any]) -> None:
    graph, _ = planted((30, 30, 30))
    coarse, fine = (
        len(set(Leiden(resolution=resolution).cluster(graph, seed=0))) for resolution in (0.5, 4.0)
    )
    assert fine > coarse


@pytest.mark.parametrize("resolution", [0.0, -1.0, float("nan"), float("inf")])
def test_a_resolution_that_is_not_positive_is_refused(resolution: float) -> None:
    with pytest.raises(harness.HarnessError, match="leiden: resolution"):
        Leiden(resolution=resolution)
