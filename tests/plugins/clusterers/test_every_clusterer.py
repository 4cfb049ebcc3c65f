"""What every shipped clusterer keeps to."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

import harness
from harness.plugin import registry
from harness.plugin.values import Integers
from harness_plugins.clusterers.hdbscan import Hdbscan
from harness_plugins.clusterers.kmeans import Kmeans
from harness_plugins.clusterers.label_propagation import LabelPropagation


def available() -> Iterator[harness.Clusterer]:
    """Every registered clusterer whose package is installed."""
    for name in sorted(registry.load().components["clusterer"]):
        with contextlib.suppress(harness.HarnessError):
            yield harness.make("clusterer", name)


CLUSTERERS = tuple(available())


def every_clusterer_but(*exempt: type[harness.Clusterer]) -> pytest.MarkDecorator:
    """The clusterers whose nature does not forbid a law; whoever exempts some says why."""
    return pytest.mark.parametrize(
        "clusterer",
        [clusterer for clusterer in CLUSTERERS if not isinstance(clusterer, exempt)],
        ids=lambda clusterer: clusterer.name,
    )


every_clusterer = every_clusterer_but()


def labels_of(
    clusterer: harness.Clusterer, graph: harness.Graph, seed: int = 0
) -> NDArray[np.integer[Any]]:
    result = clusterer.cluster(graph, seed=seed)
    return result.labels if isinstance(result, harness.Partition) else result


def reordered(graph: harness.Graph, order: Integers) -> harness.Graph:
    return harness.Graph.from_weights(graph.adjacency.toarray()[np.ix_(order, order)])


@every_clusterer
@pytest.mark.parametrize("seed", [0, 7])
def test_a_sweep_gives_the_labels_of_each_graph_alone(
    clusterer: harness.Clusterer, seed: int, planted: Callable[..., Any]
) -> None:
    weights = planted((14, 20, 30), inside=0.6, across=0.2)[0].adjacency.toarray()
    weights *= np.random.default_rng(seed).random(weights.shape)
    attention = harness.AttentionMap(np.pad(weights, (0, 2)))
    builder = harness.make("graph builder", "threshold")
    levels = builder.levels(attention, 12)
    graphs = [*builder.build(attention, levels), harness.Graph.from_weights(np.zeros((66, 66)))]

    swept = clusterer.cluster_sweep(iter(graphs), seed=seed)

    for graph, found in zip(graphs, swept, strict=True):
        together = found.labels if isinstance(found, harness.Partition) else found
        assert together.tolist() == labels_of(clusterer, graph, seed).tolist()


# A label may flood a block before that has one of its own; HDBSCAN of rows in many dimensions
# joins blocks or calls nodes noise.
@every_clusterer_but(LabelPropagation, Hdbscan)
@pytest.mark.parametrize("sizes", [(30, 30), (25, 25, 25, 25)])
def test_clear_blocks_are_recovered_exactly(
    clusterer: harness.Clusterer, sizes: tuple[int, ...], planted: Callable[..., Any]
) -> None:
    graph, truth = planted(sizes)
    assert adjusted_rand_score(truth, labels_of(clusterer, graph)) == 1


@every_clusterer
def test_labels_follow_the_nodes_when_they_are_reordered(
    clusterer: harness.Clusterer, planted: Callable[..., Any]
) -> None:
    graph, _ = planted((20, 25, 35))
    order = np.random.default_rng(1).permutation(graph.n)
    shuffled = labels_of(clusterer, reordered(graph, order))
    assert adjusted_rand_score(labels_of(clusterer, graph)[order], shuffled) == 1


@every_clusterer
@pytest.mark.parametrize("seed", [0, 2**31 - 1])
def test_the_same_seed_gives_the_same_labels(
    clusterer: harness.Clusterer, seed: int, planted: Callable[..., Any]
) -> None:
    graph, _ = planted((40, 40), inside=0.2, across=0.1)
    first = labels_of(clusterer, graph, seed)
    assert np.array_equal(first, labels_of(clusterer, graph, seed))


@every_clusterer
@pytest.mark.parametrize(
    "weights",
    [
        np.zeros((1, 1)),
        np.zeros((2, 2)),
        np.array([[0.0, 1.0], [0.0, 0.0]]),
        np.array([[0.0, 1.0], [1.0, 0.0]]),
        np.zeros((30, 30)),
        np.ones((30, 30)),
        np.eye(1, 30).T * np.ones(30),
        np.kron(np.eye(3), np.ones((12, 12))),
        np.pad(np.ones((15, 15)), ((0, 10), (0, 10))),
    ],
    ids=[
        "one node",
        "two nodes",
        "one edge",
        "two edges",
        "no edges",
        "complete",
        "star",
        "three alike components",
        "complete with isolated nodes",
    ],
)
def test_degenerate_graphs_get_one_integer_label_a_node(
    clusterer: harness.Clusterer, weights: np.ndarray
) -> None:
    labels = labels_of(clusterer, harness.Graph.from_weights(weights))
    assert labels.shape == (len(weights),)
    assert np.issubdtype(labels.dtype, np.integer)
    assert labels.min() >= -1


@every_clusterer
def test_a_graph_of_self_loops_only_is_clustered(clusterer: harness.Clusterer) -> None:
    graph = harness.Graph.from_weights(np.eye(4), self_loops=True)
    labels = labels_of(clusterer, graph)
    assert len(labels[labels >= 0]) == len(set(labels[labels >= 0]))


@every_clusterer
def test_isolated_nodes_join_no_cluster(
    clusterer: harness.Clusterer, planted: Callable[..., Any]
) -> None:
    graph, truth = planted((20, 20))
    weights = np.pad(graph.adjacency.toarray(), (0, 5))
    labels = labels_of(clusterer, harness.Graph.from_weights(weights))
    assert adjusted_rand_score(truth, labels[:40]) == 1
    alone = labels[40:]
    assert set(alone).isdisjoint(labels[:40])
    assert set(alone) == {-1} or len(set(alone)) == 5


# Clustering of rows sees where edges end, not what they connect.
@every_clusterer_but(Kmeans, Hdbscan)
def test_components_never_share_a_cluster(
    clusterer: harness.Clusterer, planted: Callable[..., Any]
) -> None:
    graph, truth = planted((20, 20, 4), inside=0.9, across=0.0)
    labels = labels_of(clusterer, graph)
    for label in set(labels) - {-1}:
        assert len(set(truth[labels == label])) == 1


@every_clusterer
@pytest.mark.parametrize("factor", [1e-300, 1e-200, 1e-40, 1e-14, 1e-7, 1e5, 1e30, 1e160, 1e300])
def test_labels_do_not_change_if_all_weights_are_multiplied(
    clusterer: harness.Clusterer, factor: float, planted: Callable[..., Any]
) -> None:
    graph, _ = planted((12, 15, 9), across=0.2)
    weights = graph.adjacency.toarray()
    labels = labels_of(clusterer, graph)

    multiplied = labels_of(clusterer, harness.Graph.from_weights(weights * factor))

    assert multiplied.tolist() == labels.tolist()
    assert harness.modularity(weights * factor, labels) == pytest.approx(
        harness.modularity(weights, labels), abs=1e-12
    )


@every_clusterer
def test_nothing_is_printed(
    clusterer: harness.Clusterer, planted: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    labels_of(clusterer, planted((20, 20))[0])
    assert capfd.readouterr() == ("", "")
