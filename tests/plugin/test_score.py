import numpy as np
import pytest

import harness


def test_clusters_are_those_of_two_nodes_or_more_and_communities_have_every_node() -> None:
    labelled = harness.LabelledGraph.from_weights(np.ones((7, 7)), [4, 9, 4, -1, 9, -1, 2])

    assert [nodes.tolist() for nodes in labelled.clusters] == [[0, 2], [1, 4]]
    assert sorted(np.bincount(labelled.communities).tolist()) == [1, 1, 1, 2, 2]
    assert labelled.communities[0] == labelled.communities[2]


def test_a_graph_of_weights_is_pruned_and_its_map_is_not() -> None:
    weights = np.array([[0.5, 0.1], [0.9, 0.5]])

    labelled = harness.LabelledGraph.from_weights(weights, [0, 0], threshold=0.2, grid=(1, 2))

    assert labelled.graph.edges == 1
    assert labelled.attention.weights.tolist() == weights.tolist()
    assert labelled.attention.grid == (1, 2)


def test_what_it_holds_cannot_be_written_to() -> None:
    given = np.array([0, 0, 1])
    labelled = harness.LabelledGraph.from_weights(np.ones((3, 3)), given)

    for array in (labelled.labels, labelled.communities, labelled.graph.adjacency.data):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    given[0] = 2


@pytest.mark.parametrize(
    ("labels", "line"),
    [
        ([0, 1], "a graph of 3 nodes needs a map and labels of 3 nodes"),
        ([[0, 1, 2]], "a graph of 3 nodes needs a map and labels of 3 nodes"),
        ([0.0, 1.0, 2.0], "labels must be integers from 0, or −1"),
        ([0, 1, -2], "labels must be integers from 0, or −1"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels: list[float], line: str) -> None:
    with pytest.raises(harness.HarnessError, match=line):
        harness.LabelledGraph.from_weights(np.ones((3, 3)), labels)


def test_a_map_of_other_nodes_is_refused() -> None:
    graph = harness.Graph.from_weights(np.ones((3, 3)))

    with pytest.raises(harness.HarnessError, match="not a map of 2"):
        harness.LabelledGraph(graph, np.zeros(3, dtype=int), harness.AttentionMap(np.ones((2, 2))))
