import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness
from harness_plugins.scores.conductance import Conductance


@given(seed=st.integers(0, 2**32 - 1), density=st.floats(0.05, 1))
def test_it_is_the_mean_conductance_of_the_undirected_graph(seed: int, density: float) -> None:
    random = np.random.default_rng(seed)
    weights = random.random((14, 14)) * (random.random((14, 14)) < density)
    labels = random.integers(-1, 4, 14)
    labelled = harness.LabelledGraph.from_weights(weights, labels)
    both = networkx.Graph()
    both.add_nodes_from(range(14))
    for source, target, data in labelled.graph.to_networkx().edges(data=True):
        before = both.get_edge_data(source, target, {"weight": 0.0})["weight"]
        both.add_edge(source, target, weight=before + data["weight"])
    expected = []
    for label in range(4):
        nodes = set(np.flatnonzero(labels == label).tolist())
        rest = set(range(14)) - nodes
        volumes = [networkx.volume(both, each, weight="weight") for each in (nodes, rest)]
        if len(nodes) > 1 and min(volumes) > 0:
            expected.append(networkx.conductance(both, nodes, weight="weight"))

    found = Conductance().score(labelled)

    assert found == pytest.approx(np.mean(expected) if expected else np.nan, nan_ok=True)


def test_separate_clusters_have_0() -> None:
    pairs = np.kron(np.eye(2), np.ones((2, 2)))

    assert Conductance().score(harness.LabelledGraph.from_weights(pairs, [0, 0, 1, 1])) == 0


def test_clusters_without_an_edge_inside_have_1() -> None:
    pairs = np.kron(np.eye(2), np.ones((2, 2)))

    assert Conductance().score(harness.LabelledGraph.from_weights(pairs, [0, 1, 0, 1])) == 1


def test_a_single_cluster_has_none() -> None:
    labelled = harness.LabelledGraph.from_weights(np.random.default_rng(0).random((9, 9)), [0] * 9)

    assert np.isnan(Conductance().score(labelled))
