import subprocess
import sys
from collections.abc import Callable
from typing import Any

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

import harness
from harness.plugin.values import Integers
from harness_plugins.clusterers import louvain
from harness_plugins.clusterers.louvain import Louvain
from harness_plugins.clusterers.louvain_networkx import LouvainNetworkx


def modularity(graph: harness.Graph, labels: Integers) -> float:
    communities = [set(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)]
    return float(networkx.algorithms.community.modularity(graph.to_networkx(), communities))


@settings(deadline=None)
@given(
    n=st.integers(2, 60),
    density=st.floats(0.02, 1),
    largest=st.sampled_from([None, 1, 3]),
    self_loops=st.booleans(),
    resolution=st.sampled_from([0.5, 1.0, 2.0]),
    seed=st.integers(0, 2**31 - 1),
)
def test_labels_are_those_of_scikit_network(
    n: int, density: float, largest: int | None, self_loops: bool, resolution: float, seed: int
) -> None:
    from sknetwork.clustering import Louvain as Reference

    random = np.random.default_rng(seed)
    weights = random.random((n, n)) if largest is None else random.integers(1, largest + 1, (n, n))
    weights = weights * (random.random((n, n)) < density)
    graph = harness.Graph.from_weights(weights, self_loops=self_loops)
    labels = Louvain(resolution).cluster(graph, seed=seed)
    if not graph.edges:
        assert labels.tolist() == list(range(n))
        return
    reference = Reference(
        resolution=resolution,
        tol_optimization=louvain.TOLERANCE,
        tol_aggregation=louvain.TOLERANCE,
        shuffle_nodes=True,
        random_state=seed,
    )
    assert labels.tolist() == reference.fit_predict(csr_matrix(graph.adjacency)).tolist()


def test_a_graph_may_have_64_bit_indices(planted: Callable[..., Any]) -> None:
    graph, _ = planted((20, 20))
    links = graph.adjacency
    arrays = (links.data, links.indices.astype(np.int64), links.indptr.astype(np.int64))
    wide = links.copy()
    wide.data, wide.indices, wide.indptr = arrays
    labels = Louvain().cluster(graph, seed=0).tolist()
    assert Louvain().cluster(harness.Graph(wide), seed=0).tolist() == labels


def test_the_search_comes_without_the_package_which_can_be_imported_later() -> None:
    code = (
        "import harness, sys; harness.make('clusterer', 'louvain').cluster("
        "harness.Graph.from_weights([[0, 1], [1, 0]]), seed=0);"
        "assert 'sknetwork' not in sys.modules and 'scipy.spatial' not in sys.modules;"
        "from sknetwork.clustering import Louvain"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_version_without_the_search_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(louvain, "SEARCH", "sknetwork.clustering.another_core")
    with pytest.raises(harness.HarnessError, match=r"no sknetwork\.clustering\.another_core; pip"):
        Louvain()


def test_a_version_with_another_search_fails_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(louvain, "_compiled_search", lambda: lambda labels: labels)
    with pytest.raises(harness.HarnessError, match=r"another search .*; pip install"):
        Louvain().cluster(np.ones((3, 3)), seed=0)


@pytest.mark.parametrize(("inside", "across"), [(0.5, 0.05), (0.2, 0.1), (0.15, 0.15)])
def test_modularity_is_as_high_as_that_of_networkx(
    inside: float, across: float, planted: Callable[..., Any]
) -> None:
    graph, _ = planted((25, 35, 40), inside=inside, across=across)
    fast, reference = (
        np.mean([modularity(graph, method.cluster(graph, seed=seed)) for seed in range(5)])
        for method in (Louvain(), LouvainNetworkx())
    )
    assert fast == pytest.approx(reference, rel=0.04)


@pytest.mark.parametrize("method", [Louvain, LouvainNetworkx])
def test_a_higher_resolution_finds_more_clusters(
    method: type[Louvain | LouvainNetworkx], planted: Callable[..., Any]
) -> None:
    graph, _ = planted((30, 30, 30))
    coarse, fine = (
        len(set(method(resolution=resolution).cluster(graph, seed=0))) for resolution in (0.5, 4.0)
    )
    assert fine > coarse


@pytest.mark.parametrize("method", [Louvain, LouvainNetworkx])
def test_the_seed_counts(
    method: type[Louvain | LouvainNetworkx], planted: Callable[..., Any]
) -> None:
    graph, _ = planted((100,), inside=0.1)
    assert len({tuple(method().cluster(graph, seed=seed)) for seed in range(4)}) > 1


@pytest.mark.parametrize("method", [Louvain, LouvainNetworkx])
def test_directions_count(method: type[Louvain | LouvainNetworkx]) -> None:
    # Nodes 0 and 2 link to each other and only receive from the rest: by direction they belong
    # together, while without directions no partition beats a single cluster.
    weights = np.array(
        [[0, 0, 1, 0, 0], [1, 0, 1, 1, 1], [1, 0, 0, 0, 0], [0, 0, 1, 0, 1], [1, 0, 1, 0, 0]]
    )
    directed, undirected = (
        method().cluster(harness.Graph.from_weights(links), seed=0)
        for links in (weights, weights + weights.T)
    )
    assert modularity(harness.Graph.from_weights(weights), directed) == pytest.approx(0.12)
    assert modularity(harness.Graph.from_weights(weights), undirected) < 0.06


@pytest.mark.parametrize("method", [Louvain, LouvainNetworkx])
@pytest.mark.parametrize("resolution", [0.0, -1.0, float("nan"), float("inf")])
def test_a_resolution_that_is_not_positive_is_refused(
    method: type[Louvain | LouvainNetworkx], resolution: float
) -> None:
    with pytest.raises(harness.HarnessError, match="resolution"):
        method(resolution=resolution)
