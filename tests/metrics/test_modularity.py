import math
from random import Random

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

import harness
from harness.metrics.modularity import FEW_EDGES, Pairs, ScoredGraph, ranked
from harness.metrics.partition import unassigned_as_singletons

Case = tuple[NDArray[np.float64], NDArray[np.int64]]


@st.composite
def weighted_partitions(draw: st.DrawFn) -> Case:
    """Weights (n, n) with at least one edge, self-loops among them, and labels (n,) ≥ −1."""
    n = draw(st.integers(1, 12))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    density = draw(st.floats(0.1, 1))
    weights = random.lognormal(size=(n, n)) * (random.random((n, n)) < density)
    weights[random.integers(n), random.integers(n)] = 1.0
    return weights, random.integers(-1, draw(st.integers(0, n)) + 1, n)


def communities(labels: NDArray[np.int64]) -> list[set[int]]:
    singletons = [{int(node)} for node in np.flatnonzero(labels == -1)]
    clusters = [set(np.flatnonzero(labels == label).tolist()) for label in set(labels) - {-1}]
    return singletons + clusters


@settings(max_examples=150)
@given(weighted_partitions(), st.floats(0, 3))
def test_modularity_is_that_of_networkx(case: Case, resolution: float) -> None:
    weights, labels = case
    graph = networkx.from_numpy_array(weights, create_using=networkx.DiGraph)
    expected = networkx.algorithms.community.modularity(
        graph, communities(labels), resolution=resolution
    )
    assert harness.modularity(weights, labels, resolution) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=100)
@given(weighted_partitions(), st.floats(0, 3))
def test_modularity_is_the_double_sum_of_its_definition(case: Case, resolution: float) -> None:
    weights, labels = case
    total = weights.sum()
    expected = weights / total
    expected -= resolution * np.outer(weights.sum(axis=1), weights.sum(axis=0)) / total**2
    together = (labels[:, None] == labels) & (labels >= 0)
    np.fill_diagonal(together, True)
    assert harness.modularity(weights, labels, resolution) == pytest.approx(
        expected[together].sum(), abs=1e-12
    )


@given(st.integers(1, 40), st.integers(1, 1000), st.sampled_from(["f4", "f8"]))
def test_one_cluster_has_modularity_0_without_rounding(n: int, sevenths: int, kind: str) -> None:
    weights = np.full((n, n), sevenths / 7 / n, dtype=kind)
    weights[0] *= 3
    assert harness.modularity(weights, [0] * n) == 0


@given(weighted_partitions(), st.randoms(use_true_random=False))
def test_the_order_of_the_nodes_does_not_matter(case: Case, random: Random) -> None:
    weights, labels = case
    order = list(range(len(labels)))
    random.shuffle(order)
    assert harness.modularity(weights[np.ix_(order, order)], labels[order]) == pytest.approx(
        harness.modularity(weights, labels), abs=1e-12
    )


@given(weighted_partitions(), st.sampled_from([1e-290, 1e-9, 0.3, 1e9, 1e290]))
def test_the_scale_of_the_weights_does_not_matter(case: Case, scale: float) -> None:
    weights, labels = case
    assert harness.modularity(weights * scale, labels) == pytest.approx(
        harness.modularity(weights, labels), abs=1e-12
    )


@given(weighted_partitions())
def test_modularity_lies_between_minus_one_and_one(case: Case) -> None:
    assert -1 - 1e-12 <= harness.modularity(*case) <= 1


@given(weighted_partitions())
def test_one_cluster_of_all_nodes_has_modularity_zero(case: Case) -> None:
    weights, labels = case
    assert harness.modularity(weights, np.zeros_like(labels)) == pytest.approx(0, abs=1e-12)


def test_an_array_counts_its_diagonal_and_a_graph_what_it_holds() -> None:
    weights = np.array([[5.0, 1.0], [1.0, 5.0]])
    labels = np.array([0, 1])
    assert harness.modularity(weights, labels) == pytest.approx(10 / 12 - 1 / 2)
    assert harness.modularity(harness.Graph.from_weights(weights), labels) == pytest.approx(-1 / 2)


def test_a_directed_graph_is_not_made_symmetric() -> None:
    weights = np.array([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    # Node 0 only sends and node 1 only receives: out-strengths 2, 0, 1 and in-strengths 0, 2, 1.
    assert harness.modularity(weights, [0, 0, 1]) == pytest.approx(1 / 3 - (2 * 2 + 1 * 1) / 9)


def test_modularity_without_edges_is_nan() -> None:
    assert math.isnan(harness.modularity(np.zeros((3, 3)), [0, 0, 1]))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 1], r"\(3,\), one a node"),
        ([0.0, 1.0, 1.0], "integers, not float64"),
        ([0, 1, -2], "node 2 has -2"),
    ],
)
def test_bad_labels_are_refused(labels: list[float], message: str) -> None:
    with pytest.raises(harness.HarnessError, match=message):
        harness.modularity(np.ones((3, 3)), labels)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones((2, 3)), r"must be \(n, n\), not \(2, 3\)"),
        (np.array([[0.0, -1.0], [1.0, 0.0]]), r"\[0, 1\] is -1"),
        (np.array([[0.0, 1.0], [np.nan, 0.0]]), r"\[1, 0\] is nan"),
        (np.array(["a"]), "takes a Graph or weights"),
    ],
)
def test_bad_weights_are_refused(weights: NDArray[np.float64], message: str) -> None:
    with pytest.raises(harness.HarnessError, match=message):
        harness.modularity(weights, [0, 0])


def graph_and_communities(case: Case) -> tuple[harness.Graph, NDArray[np.int64]]:
    weights, labels = case
    return harness.Graph.from_weights(weights, self_loops=True), unassigned_as_singletons(labels)


@given(weighted_partitions())
def test_z_modularity_is_modularity_in_deviations_of_one_random_edge(case: Case) -> None:
    graph, communities = graph_and_communities(case)
    weights = case[0] / case[0].sum()
    together = communities[:, None] == communities
    expected = float(np.outer(weights.sum(axis=1), weights.sum(axis=0))[together].sum())
    deviation = math.sqrt(max(expected * (1 - expected), 0))

    found = ScoredGraph(graph).z_modularity(Pairs(communities))

    if deviation > 1e-4:
        assert found == pytest.approx((weights[together].sum() - expected) / deviation, abs=1e-6)


def test_the_z_modularity_of_one_community_is_0_and_of_no_edge_nan() -> None:
    whole, empty = np.random.default_rng(0).random((7, 7)), np.zeros((3, 3))
    together = np.zeros(7, dtype=np.int64)

    scored, none = (ScoredGraph(harness.Graph.from_weights(each)) for each in (whole, empty))
    assert scored.z_modularity(Pairs(together)) == 0
    assert math.isnan(none.z_modularity(Pairs(together[:3])))


@pytest.mark.parametrize("edges_a_pair", [0.5 / FEW_EDGES, 2 / FEW_EDGES])
def test_sparse_and_dense_graphs_are_scored_alike(edges_a_pair: float) -> None:
    random = np.random.default_rng(0)
    weights = random.random((60, 60)) * (random.random((60, 60)) < edges_a_pair)
    np.fill_diagonal(weights, 0.0)
    labels = random.integers(0, 4, 60)
    graph = networkx.from_numpy_array(weights, create_using=networkx.DiGraph)
    expected = networkx.community.modularity(graph, communities(labels))

    scored = ScoredGraph(harness.Graph.from_weights(weights))

    assert scored.modularity(Pairs(labels), 1.0) == pytest.approx(expected, abs=1e-12)


@given(weighted_partitions())
def test_ranks_are_the_sum_of_the_graphs_that_are_left_as_edges_are_dropped(case: Case) -> None:
    graph, _ = graph_and_communities(case)
    weights = case[0]
    # Without ties, as lognormal weights have none.
    pruned = [weights >= weight for weight in weights[weights > 0]]

    assert (ranked(graph).adjacency.toarray() == np.sum(pruned, axis=0)).all()


@given(weighted_partitions())
def test_ranks_depend_on_the_order_of_the_weights_only(case: Case) -> None:
    graph, _ = graph_and_communities(case)
    squared = harness.Graph.from_weights(case[0] ** 2, self_loops=True)

    assert (ranked(graph).adjacency.data == ranked(squared).adjacency.data).all()


@given(weighted_partitions())
def test_ranks_are_those_of_scipy(case: Case) -> None:
    graph, _ = graph_and_communities(case)

    assert (ranked(graph).adjacency.data == stats.rankdata(graph.adjacency.data)).all()


def test_weights_that_tie_share_the_mean_of_their_ranks() -> None:
    graph = harness.Graph.from_weights([[0, 0.5, 0.5], [0.2, 0, 0.9], [0, 0, 0]])

    assert ranked(graph).adjacency.data.tolist() == [2.5, 2.5, 1.0, 4.0]


def test_it_takes_what_clusterers_and_map_sets_return() -> None:
    attention = harness.make("extractor", "planted[count=1]").load("planted-000")
    labels = attention.truth

    of_map = harness.modularity(attention, harness.Partition(labels))

    assert of_map == harness.modularity(attention.weights, labels)
    assert harness.best_match_jaccard(harness.Partition(labels), labels) == 1
    assert harness.adjusted_jaccard(labels, harness.Partition(labels)) == 1
    clusterer = harness.make("clusterer", "infomap")
    assert harness.modularity(attention, clusterer.cluster(attention)) >= 0
