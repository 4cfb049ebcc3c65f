import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, get_args
from unittest import mock

import hdbscan
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

import harness
from harness_plugins.clusterers.sdp import Sdp
from harness_plugins.clusterers.sdp.embedding_clustering import Method, hdbscan_labels

every_method = pytest.mark.parametrize("method", get_args(Method))


def test_alike_components_are_parted_alike(planted: Callable[..., Any]) -> None:
    graph, _ = planted((15, 15), inside=0.7, across=0.03)
    twice = np.kron(np.eye(2), graph.adjacency.toarray())
    labels = Sdp().cluster(harness.Graph.from_weights(twice), seed=0).labels
    assert len(set(labels[:30]) - {-1}) == 2
    assert np.array_equal(labels[:30] == -1, labels[30:] == -1)
    assigned = labels[:30] >= 0
    assert set(labels[30:][assigned] - labels[:30][assigned]) == {2}


def test_a_component_too_small_to_part_is_one_cluster() -> None:
    blocks = np.zeros((14, 14))
    blocks[:9, :9] = blocks[9:12, 9:12] = blocks[12:, 12:] = 1
    labels = Sdp(min_cluster_size=5).cluster(harness.Graph.from_weights(blocks), seed=0).labels
    assert labels.tolist() == [0] * 9 + [1] * 3 + [2] * 2


@every_method
@pytest.mark.parametrize("size", [3, 9, 10, 14, 24, 40])
def test_disconnected_cliques_are_the_clusters(method: Method, size: int) -> None:
    cliques = np.kron(np.eye(2), np.ones((size, size)))
    labels = Sdp(clusterer=method).cluster(cliques, seed=0).labels
    assert labels.tolist() == [0] * size + [1] * size


@every_method
@pytest.mark.parametrize("leaves", [9, 11, 19, 24, 39, 60])
def test_a_star_is_one_cluster(method: Method, leaves: int) -> None:
    star = np.pad(np.ones((1, leaves)), ((0, leaves), (1, 0)))
    assert not Sdp(clusterer=method).cluster(star, seed=0).labels.any()


@every_method
def test_no_connected_graph_is_left_without_a_cluster(method: Method) -> None:
    for seed, density in enumerate((0.95, 0.8, 0.5, 0.3)):
        edges = np.random.default_rng(seed).random((40, 40)) < density
        assert (Sdp(clusterer=method).cluster(edges, seed=0).labels >= 0).any()


def sweep_of(seed: int, n: int) -> list[harness.Graph]:
    """Graphs of random weights at eleven levels, the last in many components."""
    weights = np.random.default_rng(seed).random((n, n)) ** 2
    weights[: n // 2, : n // 2] += 0.3
    builder = harness.make("graph builder", "threshold")
    attention = harness.AttentionMap(weights)
    return list(builder.build(attention, builder.levels(attention, 11)))


@pytest.mark.parametrize(
    "clusterer",
    [
        Sdp(),
        Sdp(balance="penalty"),
        Sdp(balance="none", clusterer="dbscan"),
        Sdp(tolerance=1e-7),
        Sdp(clusterer="kmeans", clusters=2),
    ],
    ids=str,
)
@pytest.mark.parametrize("n", [40, 87])
def test_a_sweep_gives_every_graph_the_labels_and_figures_that_it_has_alone(
    clusterer: Sdp, n: int
) -> None:
    graphs = sweep_of(n, n)
    together = clusterer.cluster_sweep(iter(graphs), seed=3)
    for graph, found in zip(graphs, together, strict=True):
        alone = clusterer.cluster(graph, seed=3)
        assert np.array_equal(found.labels, alone.labels)
        assert found.diagnostics == alone.diagnostics


def test_graphs_of_many_nodes_are_solved_a_few_at_a_time(planted: Callable[..., Any]) -> None:
    graph, _ = planted((300, 300), inside=0.05, across=0.005)
    taken = []

    def graphs() -> Iterator[harness.Graph]:
        for _ in range(40):
            taken.append(graph)
            yield graph

    first = next(Sdp().cluster_sweep(graphs(), seed=0))
    assert len(taken) < 20
    assert np.array_equal(first.labels, Sdp().cluster(graph, seed=0).labels)


def test_a_warning_comes_before_the_result_that_it_is_about(planted: Callable[..., Any]) -> None:
    graph, _ = planted((30, 30), inside=0.3)
    clique = harness.Graph.from_weights(np.ones((30, 30)))
    results = Sdp(max_iterations=1).cluster_sweep([clique, graph, clique], seed=0)
    for warned in (False, True, False):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            next(results)
        assert bool(caught) == warned


@given(
    seed=st.integers(0, 2**31 - 1),
    n=st.integers(10, 80),
    size=st.integers(2, 8),
    samples=st.integers(1, 90),
    separation=st.sampled_from([0.0, 0.05, 0.5]),
)
@settings(max_examples=40, deadline=None)
def test_density_labels_are_those_of_the_hdbscan_library(
    seed: int, n: int, size: int, samples: int, separation: float
) -> None:
    generator = np.random.default_rng(seed)
    points = generator.normal(size=(n, 3)) + generator.integers(0, 3, (n, 1)) * 4
    library = hdbscan.HDBSCAN(
        min_cluster_size=size,
        min_samples=samples,
        cluster_selection_epsilon=separation,
        algorithm="prims_kdtree",
    )
    # Its own sort orders edges of equal length by what the processor can do.
    stable = partial(np.argsort, kind="stable")
    with mock.patch.object(np, "argsort", stable):
        expected = library.fit_predict(points)
    assert np.array_equal(hdbscan_labels(points, size, samples, separation), expected)


def test_isolated_nodes_are_unassigned(planted: Callable[..., Any]) -> None:
    graph, _ = planted((20, 20))
    weights = np.pad(graph.adjacency.toarray(), (3, 0))
    labels = Sdp().cluster(harness.Graph.from_weights(weights), seed=0).labels
    assert np.array_equal(labels == -1, np.arange(43) < 3)


def test_weights_and_directions_do_not_count(planted: Callable[..., Any]) -> None:
    graph, _ = planted((25, 25))
    weights = graph.adjacency.toarray()
    symmetric = ((weights + weights.T) > 0).astype(float)
    assert np.array_equal(
        Sdp().cluster(graph, seed=0).labels,
        Sdp().cluster(harness.Graph.from_weights(symmetric), seed=0).labels,
    )


def test_a_converged_solution_is_balanced_and_gives_no_warning(planted: Callable[..., Any]) -> None:
    graph, _ = planted((30, 30), inside=0.3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        diagnostics = Sdp().cluster(graph, seed=0).diagnostics
    assert diagnostics["unconverged"] == 0
    assert diagnostics["imbalance"] < 1e-6
    assert diagnostics["iterations"] > 0


def test_spins_that_do_not_converge_are_reported(planted: Callable[..., Any]) -> None:
    graph, _ = planted((30, 30), inside=0.3)
    with pytest.warns(UserWarning, match="did not reach the tolerance"):
        partition = Sdp(max_iterations=1).cluster(graph, seed=0)
    assert partition.diagnostics["unconverged"] == 1


def test_spins_that_nearly_coincide_are_not_parted(planted: Callable[..., Any]) -> None:
    # Within clear blocks the spins differ by hundredths: clumps there are no clusters.
    graph, truth = planted((50, 50, 50, 50), inside=0.9, across=0.02)
    labels = Sdp().cluster(graph, seed=0).labels
    assert all(len(set(labels[truth == block])) == 1 for block in range(4))


@pytest.mark.parametrize("method", ["hdbscan", "kmeans", "dbscan"])
@pytest.mark.parametrize("sizes", [(30, 30), (25, 25, 25, 25)])
def test_clear_blocks_are_recovered(
    method: Method, sizes: tuple[int, ...], planted: Callable[..., Any]
) -> None:
    graph, truth = planted(sizes)
    labels = Sdp(clusterer=method).cluster(graph, seed=0).labels
    assert adjusted_rand_score(truth, labels) == 1


def test_no_cluster_of_the_hdbscan_of_scikit_learn_lies_in_two_blocks(
    planted: Callable[..., Any],
) -> None:
    # It parts blocks that are one cluster to the other HDBSCAN, which knows a least separation.
    graph, truth = planted((25, 25, 25, 25))
    labels = Sdp(clusterer="hdbscan-sklearn").cluster(graph, seed=0).labels
    assert all(len(set(truth[labels == label])) == 1 for label in set(labels) - {-1})


@every_method
@pytest.mark.parametrize(
    "weights",
    [
        np.zeros((1, 1)),
        np.zeros((2, 2)),
        np.eye(2)[::-1],
        np.zeros((30, 30)),
        np.eye(30),
        np.ones((30, 30)),
        np.eye(1, 30).T * np.ones(30),
        np.kron(np.ones((2, 2)), np.kron(np.eye(2), np.ones((6, 6)))),
        np.kron(np.eye(2), np.ones((10, 10))),
    ],
    ids=[
        "one node",
        "no edges, two nodes",
        "two nodes",
        "no edges",
        "self-loops",
        "complete",
        "one huge hub",
        "duplicates",
        "two alike components",
    ],
)
def test_degenerate_graphs_are_labelled_by_every_method(
    method: Method, weights: np.ndarray
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = harness.Graph.from_weights(weights, self_loops=True)
        labels = Sdp(clusterer=method).cluster(graph, seed=0).labels
    assert labels.shape == (len(weights),)
    assert np.array_equal(labels == -1, graph.isolated) or not graph.isolated.all()


def test_a_graph_without_nodes_has_no_labels() -> None:
    assert Sdp().cluster(harness.Graph.from_weights(np.zeros((0, 0))), seed=0).labels.size == 0


def test_kmeans_finds_as_many_clusters_as_it_is_asked_for(planted: Callable[..., Any]) -> None:
    graph, _ = planted((40, 40), inside=0.25, across=0.1)
    labels = Sdp(clusterer="kmeans", clusters=5).cluster(graph, seed=0).labels
    assert set(labels) == set(range(5))


@pytest.mark.parametrize("blocks", [2, 3, 5])
def test_kmeans_chooses_the_number_of_blocks(blocks: int, planted: Callable[..., Any]) -> None:
    graph, _ = planted((25,) * blocks)
    labels = Sdp(clusterer="kmeans").cluster(graph, seed=0).labels
    assert len(set(labels)) == blocks


def test_a_wider_radius_assigns_more_nodes(planted: Callable[..., Any]) -> None:
    graph, _ = planted((40, 40), inside=0.25, across=0.1)
    covered = [
        (Sdp(clusterer="dbscan", radius=radius).cluster(graph, seed=0).labels >= 0).sum()
        for radius in (0.02, 0.3)
    ]
    assert covered[0] < covered[1]


@pytest.mark.parametrize(
    ("method", "setting"),
    [
        ("hdbscan", {"radius": 0.5}),
        ("hdbscan", {"clusters": 3}),
        ("hdbscan-sklearn", {"separation": 0.1}),
        ("kmeans", {"min_cluster_size": 4}),
        ("kmeans", {"min_samples": 4}),
        ("dbscan", {"separation": 0.1}),
        ("dbscan", {"clusters": 2}),
    ],
    ids=str,
)
def test_a_setting_that_does_not_apply_is_refused(method: Method, setting: dict[str, Any]) -> None:
    with pytest.raises(harness.HarnessError, match=f"sdp: {next(iter(setting))} applies to"):
        Sdp(clusterer=method, **setting)


@given(seed=st.integers(0, 2**31 - 1), isolated=st.integers(0, 30))
@settings(max_examples=15, deadline=None)
def test_an_isolated_node_changes_no_other_label(seed: int, isolated: int) -> None:
    generator = np.random.default_rng(seed)
    weights = generator.random((30, 30)) * (generator.random((30, 30)) < 0.1)
    before = Sdp().cluster(harness.Graph.from_weights(weights), seed=0).labels
    more = np.insert(np.insert(weights, isolated, 0, axis=0), isolated, 0, axis=1)
    after = Sdp().cluster(harness.Graph.from_weights(more), seed=0).labels
    assert after[isolated] == -1
    assert np.array_equal(np.delete(after, isolated), before)


@pytest.mark.parametrize(
    "parameters",
    [
        {"rank": 1},
        {"tolerance": 0.0},
        {"max_iterations": 0},
        {"variance": 0.0},
        {"variance": 1.5},
        {"min_cluster_size": 1},
        {"separation": -0.1},
        {"min_samples": 0},
        {"radius": 0.0, "clusterer": "dbscan"},
        {"clusters": 0, "clusterer": "kmeans"},
        {"clusterer": "spectral"},
    ],
    ids=str,
)
def test_parameters_out_of_range_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(harness.HarnessError, match=f"sdp: {next(iter(parameters))}"):
        Sdp(**parameters)


def test_importing_the_package_imports_no_solver() -> None:
    code = (
        "import sys, harness_plugins.clusterers.sdp; "
        "print([name for name in ('scipy', 'cvxpy', 'hdbscan', 'sklearn') if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]"


def test_the_first_cluster_of_a_process_does_not_wait_for_the_packages_around_hdbscan() -> None:
    code = (
        "import sys, numpy, harness; from harness_plugins.clusterers.sdp import Sdp;"
        "Sdp().cluster(numpy.random.default_rng(0).random((30, 30)).round(), seed=0);"
        "assert 'hdbscan._hdbscan_tree' in sys.modules;"
        "assert not {'hdbscan', 'sklearn'} & set(sys.modules);"
        "import hdbscan; hdbscan.HDBSCAN().fit(numpy.random.rand(20, 2))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
