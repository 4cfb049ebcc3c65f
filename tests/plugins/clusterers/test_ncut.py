from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import eigh
from sklearn.metrics import adjusted_rand_score

import harness
from harness_plugins.clusterers.ncut import Ncut
from harness_plugins.graph_builders.threshold import Threshold

TOKEN_CUT = Ncut(threshold=0.2, clusters=2, split="mean")


def token_cut(features: NDArray[Any], tau: float = 0.2, eps: float = 1e-5) -> NDArray[np.bool_]:
    """TokenCut's bipartition of features (n, d), as its authors compute it."""
    features = features / np.linalg.norm(features, axis=1, keepdims=True)
    affinity = features @ features.T
    affinity = np.where(affinity > tau, 1.0, eps)
    degrees = np.diag(affinity.sum(axis=1))
    _, vectors = eigh(degrees - affinity, degrees, subset_by_index=[1, 2])
    second = vectors[:, 0]
    return np.asarray(second > second.mean())


def similarities(features: NDArray[Any]) -> NDArray[Any]:
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    return np.clip(unit @ unit.T, 0, None)


def value(weights: NDArray[Any], labels: NDArray[Any]) -> float:
    """Ncut of two clusters, by its definition."""
    symmetric = weights + weights.T
    first, second = labels == 0, labels == 1
    between = symmetric[np.ix_(first, second)].sum()
    return float(between / symmetric[first].sum() + between / symmetric[second].sum())


@pytest.mark.parametrize("seed", range(8))
def test_the_rule_of_token_cut_is_a_spelling(seed: int) -> None:
    random = np.random.default_rng(seed)
    # Features as a model's: a common part, two objects, and noise.
    centres = random.normal(0, 1, (3, 32))
    groups = random.integers(0, 3, 120)
    features = 0.3 * random.normal(0, 1, 32) + centres[groups] + random.normal(0, 1, (120, 32))
    attention = harness.AttentionMap(similarities(features))

    [graph] = Threshold(self_loops=True).build(attention, np.array([0.0]))
    labels = TOKEN_CUT.cluster(graph, seed=0)

    assert set(labels) == {0, 1}
    assert adjusted_rand_score(token_cut(features), labels) == 1


def test_the_threshold_may_be_the_builders_level() -> None:
    features = np.random.default_rng(3).normal(0.3, 1, (80, 16))
    attention = harness.AttentionMap(similarities(features))
    builder = Threshold(axis="absolute", start=0.2, stop=0.5, self_loops=True)

    [graph] = builder.build(attention, builder.levels(attention, 1))
    labels = Ncut(threshold=0, clusters=2, split="mean").cluster(graph, seed=0)

    assert adjusted_rand_score(token_cut(features), labels) == 1


@pytest.mark.parametrize("seed", range(5))
def test_a_cut_is_the_best_along_the_eigenvector(seed: int) -> None:
    weights = np.random.default_rng(seed).random((30, 30)) ** 4
    np.fill_diagonal(weights, 0)
    symmetric = weights + weights.T
    degrees = np.diag(symmetric.sum(axis=1))
    fiedler = eigh(degrees - symmetric, degrees)[1][:, 1]
    best = min(value(weights, (fiedler > bound).astype(int)) for bound in np.sort(fiedler)[:-1])

    labels = Ncut(clusters=2).cluster(harness.Graph.from_weights(weights), seed=0)

    assert value(weights, labels) == pytest.approx(best)


@pytest.mark.parametrize("seed", range(3))
def test_a_cut_of_few_nodes_is_close_to_the_smallest_of_all(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = np.repeat([0, 1], [4, 6])
    weights = random.random((10, 10)) * np.where(truth[:, None] == truth, 1.0, 0.2)
    np.fill_diagonal(weights, 0)
    every = [np.array([0, *map(int, f"{mask:09b}")]) for mask in range(1, 2**9)]
    smallest = min(value(weights, labels) for labels in every)

    labels = Ncut(clusters=2).cluster(harness.Graph.from_weights(weights), seed=0)

    assert value(weights, labels) == pytest.approx(smallest)


@pytest.mark.parametrize("clusters", [1, 2, 3, 5, 8])
def test_there_are_as_many_clusters_as_asked_for(
    clusters: int, planted: Callable[..., Any]
) -> None:
    graph, _ = planted((20, 20, 20))
    assert len(set(Ncut(clusters=clusters).cluster(graph, seed=0))) == clusters


def test_components_are_apart_however_few_clusters_are_asked_for(
    planted: Callable[..., Any],
) -> None:
    graph, truth = planted((20, 15, 5), inside=0.9, across=0.0)
    labels = Ncut(clusters=2).cluster(graph, seed=0)
    assert adjusted_rand_score(truth, labels) == 1


def test_clusters_are_shared_among_components_by_their_cheapest_cuts(
    planted: Callable[..., Any],
) -> None:
    one, two = planted((20, 20))[0], planted((30,), seed=1)[0]
    weights = np.zeros((70, 70))
    weights[:40, :40], weights[40:, 40:] = one.adjacency.toarray(), two.adjacency.toarray()
    labels = Ncut(clusters=3).cluster(harness.Graph.from_weights(weights), seed=0)
    assert adjusted_rand_score(np.repeat([0, 1, 2], [20, 20, 30]), labels) == 1


def test_a_component_is_cut_while_the_value_is_small(planted: Callable[..., Any]) -> None:
    graph, _ = planted((25, 25, 25, 25))
    counts = [
        len(set(Ncut(max_ncut=limit, max_clusters=6).cluster(graph, seed=0)))
        for limit in (0, 0.3, 2)
    ]
    assert counts == [1, 4, 6]


def test_a_side_that_falls_apart_is_divided_first() -> None:
    # A star of three cliques around a node that belongs to the first.
    weights = np.kron(np.eye(3), np.ones((6, 6)))
    weights[0, 6] = weights[0, 12] = 0.1
    labels = Ncut(max_ncut=0.2).cluster(harness.Graph.from_weights(weights), seed=0)
    assert adjusted_rand_score(np.repeat([0, 1, 2], 6), labels) == 1


def test_directions_do_not_count(planted: Callable[..., Any]) -> None:
    graph, _ = planted((20, 25, 35), across=0.15)
    reverse = harness.Graph.from_weights(graph.adjacency.toarray().T)
    assert Ncut().cluster(graph, seed=0).tolist() == Ncut().cluster(reverse, seed=0).tolist()


def test_isolated_nodes_are_unassigned_but_on_a_side_if_there_is_a_threshold() -> None:
    weights = np.pad(np.kron(np.eye(2), np.ones((4, 4))), (0, 1))
    graph = harness.Graph.from_weights(weights)
    assert Ncut().cluster(graph, seed=0)[-1] == -1
    assert set(Ncut(threshold=0, clusters=3).cluster(graph, seed=0)) == {0, 1, 2}


def test_a_graph_without_edges_is_unassigned_under_a_threshold_too() -> None:
    graph = harness.Graph.from_weights(np.zeros((5, 5)))
    assert TOKEN_CUT.cluster(graph, seed=0).tolist() == [-1] * 5


def test_a_part_whose_pairs_all_weigh_the_same_is_not_cut() -> None:
    # Every two are more similar than the threshold: every vector is an eigenvector.
    features = np.random.default_rng(0).normal(5, 1, (40, 8))
    assert set(TOKEN_CUT.cluster(similarities(features), seed=0)) == {0}
    cliques = np.kron(np.eye(2), np.ones((5, 5)))
    assert len(set(Ncut(clusters=4).cluster(cliques, seed=0))) == 2


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"clusters": 0}, "clusters must be at least 1"),
        ({"max_clusters": 0}, "max_clusters must be at least 1"),
        ({"max_ncut": 2.5}, "max_ncut must be 0 … 2"),
        ({"threshold": -0.1}, "threshold must be at least 0"),
        ({"epsilon": 0.0}, "epsilon must be above 0 and below 1"),
        ({"split": "median"}, "split: expected best or mean"),
    ],
)
def test_bad_parameters_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(harness.HarnessError, match=message):
        Ncut(**parameters)
