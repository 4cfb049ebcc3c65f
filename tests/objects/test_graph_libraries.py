import random
from typing import Any

import igraph
import leidenalg
import networkx as nx
import numpy as np
import pytest

import harness
from harness.errors import InvalidResultError
from harness.plugin.spec import format_spec

random_weights = np.random.default_rng(0).random((12, 12)) * 0.2
WEIGHTS = np.kron(np.eye(3), np.ones((4, 4))) + random_weights
GRAPH = harness.Graph.from_weights(WEIGHTS)


def sets(labels: Any) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist())}


def test_a_function_of_networkx_gets_the_directed_graph_its_arguments_and_the_seed() -> None:
    clusterer = harness.from_networkx(nx.community.louvain_communities, resolution=2.5)

    expected = nx.community.louvain_communities(GRAPH.to_networkx(), resolution=2.5, seed=5)

    assert sets(clusterer.cluster(GRAPH, seed=5)) == set(map(frozenset, expected))


def test_a_symmetrised_graph_of_networkx_has_the_sums_of_both_directions() -> None:
    seen: list[Any] = []

    def communities(graph: Any) -> Any:
        seen.append(nx.to_numpy_array(graph))
        return [set(graph)]

    harness.from_networkx(communities, symmetrised=True).cluster(WEIGHTS, seed=0)

    both = WEIGHTS + WEIGHTS.T
    np.fill_diagonal(both, 0)
    assert np.allclose(seen[0], both)


@pytest.mark.parametrize(
    "clusterer",
    [
        harness.from_networkx(nx.community.label_propagation_communities, symmetrised=True),
        harness.from_networkx(nx.community.asyn_lpa_communities, weight="weight"),
        harness.from_networkx(nx.community.greedy_modularity_communities, weight="weight"),
        harness.from_igraph(igraph.Graph.community_infomap),
        harness.from_igraph(igraph.Graph.community_multilevel, symmetrised=True),
        harness.from_igraph(igraph.Graph.community_walktrap, symmetrised=True),
        harness.from_igraph(
            leidenalg.find_partition, partition_type=leidenalg.ModularityVertexPartition
        ),
    ],
    ids=format_spec,
)
def test_clear_communities_are_found_by_functions_of_both_libraries(
    clusterer: harness.Clusterer,
) -> None:
    clear = np.kron(np.eye(3), np.ones((4, 4)))

    labels = clusterer.cluster(clear, seed=1)

    assert sets(labels) == {frozenset(range(start, start + 4)) for start in (0, 4, 8)}


def test_igraph_gets_the_weights_of_both_directions() -> None:
    seen: list[Any] = []

    def communities(graph: Any, weights: str) -> Any:
        matrix = np.zeros((12, 12))
        for edge in graph.es:
            matrix[edge.tuple] = edge[weights]
        seen.append((graph.is_directed(), matrix))
        return graph.community_infomap()

    harness.from_igraph(communities).cluster(WEIGHTS, seed=0)
    harness.from_igraph(communities, symmetrised=True).cluster(WEIGHTS, seed=0)

    (directed, weights), (symmetrised, sums) = seen
    assert (directed, symmetrised) == (True, False)
    assert np.allclose(weights, GRAPH.adjacency.toarray())
    assert np.allclose(sums + sums.T, (GRAPH.adjacency + GRAPH.adjacency.T).toarray())


def test_labels_depend_on_the_seed_alone_and_pythons_generator_is_left_as_it_was() -> None:
    clusterer = harness.from_igraph(igraph.Graph.community_label_propagation)
    noise = np.random.default_rng(1).random((30, 30))
    state = random.getstate()

    found = [clusterer.cluster(noise, seed=4).tolist() for _ in range(3)]

    assert found[0] == found[1] == found[2]
    assert random.getstate() == state


@pytest.mark.parametrize(
    ("communities", "labels"),
    [
        ([{0, 2}, {1}], [0, 1, 0]),
        ([{1}], [-1, 0, -1]),
        ({0: "b", 1: "a", 2: "b"}, [0, 1, 0]),
    ],
)
def test_nodes_in_no_community_are_unassigned(communities: Any, labels: list[int]) -> None:
    clusterer = harness.from_networkx(lambda graph: communities)

    assert clusterer.cluster(np.ones((3, 3)), seed=0).tolist() == labels


@pytest.mark.parametrize(
    ("communities", "message"),
    [
        ([{0, 1}, {1, 2}], "a node is in two communities"),
        (iter([({0}, {1, 2})]), "returned no sets of nodes"),
    ],
)
def test_what_is_no_partition_is_refused(communities: Any, message: str) -> None:
    clusterer = harness.from_networkx(lambda graph: communities)

    with pytest.raises(InvalidResultError, match=message):
        clusterer.cluster(np.ones((3, 3)), seed=0)


def test_the_spec_has_the_arguments() -> None:
    made = harness.from_igraph(
        leidenalg.find_partition,
        partition_type=leidenalg.CPMVertexPartition,
        resolution_parameter=0.5,
    )

    expected = "find_partition[partition_type=CPMVertexPartition,resolution_parameter=0.5]"
    assert format_spec(made) == expected
