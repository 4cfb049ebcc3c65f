import infomap
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness
from harness_plugins.clusterers.infomap import Infomap
from harness_plugins.scores.code_length import CodeLength


@given(
    n=st.integers(2, 40),
    density=st.floats(0.01, 1),
    self_loops=st.booleans(),
    seed=st.integers(0, 2**31 - 1),
)
def test_it_is_what_infomap_gives_for_the_partition(
    n: int, density: float, self_loops: bool, seed: int
) -> None:
    random = np.random.default_rng(seed)
    weights = random.random((n, n)) * (random.random((n, n)) < density)
    graph = harness.Graph.from_weights(weights, self_loops=self_loops)
    labels = random.integers(0, random.integers(1, 8), n)
    labelled = harness.LabelledGraph(graph, labels, harness.AttentionMap(weights))
    if not graph.edges:
        assert np.isnan(CodeLength().score(labelled))
        return
    network = infomap.Network().add_nodes(range(n))
    network.add_links(list(zip(*graph.adjacency.nonzero(), graph.adjacency.data, strict=True)))
    given_partition = dict(enumerate(labels.tolist()))
    expected = infomap.run(
        network, directed=True, two_level=True, no_infomap=True, initial_partition=given_partition
    ).codelength

    assert CodeLength().score(labelled) == pytest.approx(expected, abs=1e-9)


def test_infomaps_own_clusters_have_the_length_that_it_stores() -> None:
    weights = np.kron(np.eye(3), np.ones((6, 6))) + 0.05 * np.random.default_rng(0).random((18, 18))
    found = Infomap().cluster(harness.Graph.from_weights(weights), seed=0)

    length = CodeLength().score(harness.LabelledGraph.from_weights(weights, found.labels))

    assert length == pytest.approx(found.diagnostics["codelength"], abs=1e-9)


def test_an_unassigned_node_is_a_cluster_of_its_own() -> None:
    weights = np.random.default_rng(0).random((6, 6))
    unassigned, alone = (
        CodeLength().score(harness.LabelledGraph.from_weights(weights, labels))
        for labels in ([0, 0, 1, 1, -1, -1], [0, 0, 1, 1, 2, 3])
    )

    assert unassigned == pytest.approx(alone)
