import itertools
from collections.abc import Callable, Iterator
from typing import Any

import networkx
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import harness
from harness.plugin.values import Floats, Integers
from harness_plugins.clusterers.louvain import Louvain
from harness_plugins.clusterers.sdp import DegreeCorrected, SdpModularity, solve_spins
from harness_plugins.clusterers.sdp.modularity import modularity_weights
from harness_plugins.clusterers.sdp.refinement import refined


def random_graph(
    seed: int, n: int, *, share: float = 0.5, self_loops: bool = False
) -> harness.Graph:
    generator = np.random.default_rng(seed)
    weights = generator.random((n, n)) * (generator.random((n, n)) < share)
    return harness.Graph.from_weights(weights, self_loops=self_loops)


def partitions(n: int) -> Iterator[Integers]:
    """Every partition of n nodes."""
    for labels in itertools.product(*(range(node + 1) for node in range(n))):
        if all(label <= max(labels[:node], default=-1) + 1 for node, label in enumerate(labels)):
            yield np.array(labels)


def modularity_matrix(graph: harness.Graph, resolution: float) -> Floats:
    """The symmetric modularity matrix, written down as it is defined."""
    weights = graph.adjacency.toarray()
    flow = weights.sum()
    expected = np.outer(weights.sum(axis=1), weights.sum(axis=0)) / flow
    directed = (weights - resolution * expected) / flow
    return np.asarray((directed + directed.T) / 2)


@given(
    seed=st.integers(0, 2**31 - 1),
    n=st.integers(2, 6),
    resolution=st.sampled_from([0.5, 1.0, 2.0]),
    self_loops=st.booleans(),
)
@example(seed=0, n=3, resolution=1.0, self_loops=True)  # a node with a self-loop only
@settings(max_examples=60, deadline=None)
def test_no_partition_exceeds_the_bound(
    seed: int, n: int, resolution: float, self_loops: bool
) -> None:
    graph = random_graph(seed, n, self_loops=self_loops)
    diagnostics = SdpModularity(resolution=resolution).cluster(graph, seed=0).diagnostics
    if not diagnostics:
        return
    best = max(harness.modularity(graph, labels, resolution) for labels in partitions(n))
    assert diagnostics["bound"] >= best - 1e-9
    assert diagnostics["modularity"] <= best + 1e-9


@pytest.mark.parametrize("seed", range(8))
def test_the_best_of_all_partitions_of_seven_nodes_is_found(seed: int) -> None:
    graph = random_graph(seed, 7, share=0.4)
    best = max(harness.modularity(graph, labels) for labels in partitions(7))
    found = SdpModularity().cluster(graph, seed=0).diagnostics["modularity"]
    assert found == pytest.approx(best, abs=1e-9)


def test_the_karate_club_gets_the_modularity_that_is_known_to_be_optimal() -> None:
    # 0.4198: Brandes et al., "On modularity clustering", 2008, of the unweighted graph.
    graph = networkx.to_numpy_array(networkx.karate_club_graph(), weight=None)
    found = SdpModularity().cluster(harness.Graph.from_weights(graph), seed=0)
    assert found.diagnostics["modularity"] == pytest.approx(0.4198, abs=5e-5)


@pytest.mark.parametrize("sizes", [(60, 15, 15), (40, 20, 10, 5), (50, 10)])
def test_unequal_blocks_are_recovered(sizes: tuple[int, ...], planted: Callable[..., Any]) -> None:
    graph, truth = planted(sizes, inside=0.9, across=0.01)
    labels = SdpModularity().cluster(graph, seed=0).labels
    assert harness.modularity(graph, labels) == pytest.approx(harness.modularity(graph, truth))


@pytest.mark.parametrize("seed", range(4))
def test_modularity_reaches_that_of_louvain_on_noisy_blocks(
    seed: int, planted: Callable[..., Any]
) -> None:
    graph, _ = planted((40, 25, 15, 10), inside=0.3, across=0.12, seed=seed)
    louvain = harness.modularity(graph, Louvain().cluster(graph, seed=seed))
    found = SdpModularity().cluster(graph, seed=seed).diagnostics["modularity"]
    assert found >= 0.99 * louvain


def test_a_larger_resolution_finds_more_clusters(planted: Callable[..., Any]) -> None:
    graph, _ = planted((30, 30, 30), inside=0.4, across=0.1)
    coarse, fine = (
        len(set(SdpModularity(resolution=resolution).cluster(graph, seed=0).labels))
        for resolution in (0.5, 2.0)
    )
    assert coarse < fine


def test_directions_and_weights_count() -> None:
    # Two rings, told apart by the weights alone.
    weights = np.full((20, 20), 0.01)
    weights[:10, :10] = weights[10:, 10:] = 1.0
    labels = SdpModularity().cluster(harness.Graph.from_weights(weights), seed=0).labels
    assert labels.tolist() == [labels[0]] * 10 + [labels[10]] * 10
    assert labels[0] != labels[10]


@given(seed=st.integers(0, 2**31 - 1), isolated=st.integers(0, 30))
@settings(max_examples=15, deadline=None)
def test_an_isolated_node_changes_no_other_label(seed: int, isolated: int) -> None:
    weights = random_graph(seed, 30, share=0.1).adjacency.toarray()
    before = SdpModularity().cluster(harness.Graph.from_weights(weights), seed=0).labels
    more = np.insert(np.insert(weights, isolated, 0, axis=0), isolated, 0, axis=1)
    after = SdpModularity().cluster(harness.Graph.from_weights(more), seed=0).labels
    assert after[isolated] == -1
    assert np.array_equal(np.delete(after, isolated), before)


@given(seed=st.integers(0, 2**31 - 1), exponent=st.integers(-40, 40))
@settings(max_examples=10, deadline=None)
def test_scaling_the_weights_by_a_power_of_two_changes_no_label(seed: int, exponent: int) -> None:
    weights = random_graph(seed, 25, share=0.2).adjacency.toarray()
    before, after = (
        SdpModularity().cluster(harness.Graph.from_weights(scaled), seed=0).labels
        for scaled in (weights, weights * 2.0**exponent)
    )
    assert np.array_equal(before, after)


@pytest.mark.parametrize("self_loops", [False, True])
def test_the_weights_are_the_modularity_matrix(self_loops: bool) -> None:
    graph = random_graph(0, 12, self_loops=self_loops)
    weights = modularity_weights(graph, 1.5, np.arange(12))
    expected = modularity_matrix(graph, 1.5)
    nodes = np.array([7, 2, 9])
    assert weights @ np.eye(12) == pytest.approx(expected)
    assert weights.column(4) == pytest.approx(expected[4])
    assert weights.among(nodes) == pytest.approx(expected[np.ix_(nodes, nodes)])


@pytest.mark.parametrize("share", [0.05, 0.6])
def test_degree_corrected_weights_give_the_solution_of_dense_ones(share: float) -> None:
    graph = random_graph(1, 40, share=share)
    corrected = modularity_weights(graph, 1.0, np.arange(40))
    found = solve_spins(corrected, balance="none")
    dense = solve_spins(corrected @ np.eye(40), balance="none")
    assert found.converged
    assert found.objective == pytest.approx(dense.objective, rel=1e-5)


def test_degree_corrected_weights_that_are_not_finite_are_refused() -> None:
    graph = modularity_weights(random_graph(0, 5), 1.0, np.arange(5))
    broken = DegreeCorrected(graph.observed, graph.sent + np.inf, graph.received)
    with pytest.raises(harness.HarnessError, match="finite"):
        solve_spins(broken, balance="none")


@given(seed=st.integers(0, 2**31 - 1))
@settings(max_examples=20, deadline=None)
def test_refinement_never_lowers_modularity(seed: int) -> None:
    generator = np.random.default_rng(seed)
    graph = random_graph(seed, 20, share=0.2)
    labels = generator.integers(0, 5, 20)
    after = refined(modularity_weights(graph, 1.0, np.arange(20)), labels)
    assert harness.modularity(graph, after) >= harness.modularity(graph, labels) - 1e-12


def test_spins_that_do_not_converge_are_reported(planted: Callable[..., Any]) -> None:
    graph, _ = planted((30, 30), inside=0.3)
    with pytest.warns(UserWarning, match="did not reach the tolerance"):
        partition = SdpModularity(max_iterations=1).cluster(graph, seed=0)
    assert partition.diagnostics["unconverged"] == 1


@pytest.mark.parametrize(
    "parameters",
    [
        {"resolution": 0.0},
        {"resolution": np.inf},
        {"rank": 1},
        {"tolerance": 0.0},
        {"max_iterations": 0},
    ],
    ids=str,
)
def test_parameters_out_of_range_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(harness.HarnessError, match=f"sdp-modularity: {next(iter(parameters))}"):
        SdpModularity(**parameters)
