from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import SpectralClustering
from sklearn.metrics import adjusted_rand_score

import harness
from harness_plugins.clusterers.spectral import Spectral


@pytest.mark.parametrize("count", [2, 3])
def test_clusters_are_those_of_scikit_learn(count: int, planted: Callable[..., Any]) -> None:
    graph, _ = planted((20, 25, 35), inside=0.4, across=0.08)
    affinity = (graph.adjacency + graph.adjacency.T).toarray()
    reference = SpectralClustering(count, affinity="precomputed", random_state=0)
    labels = Spectral(clusters=count).cluster(graph, seed=0)
    assert adjusted_rand_score(reference.fit_predict(affinity), labels) == 1


def test_a_graph_without_a_gap_is_one_cluster(planted: Callable[..., Any]) -> None:
    graph, _ = planted((60,))
    assert len(set(Spectral().cluster(graph, seed=0))) == 1


def test_no_component_has_more_clusters_than_the_most(planted: Callable[..., Any]) -> None:
    graph, _ = planted((25, 25, 25, 25))
    assert len(set(Spectral(max_clusters=2).cluster(graph, seed=0))) <= 2


@pytest.mark.parametrize(("clusters", "counts"), [(1, (1, 1)), (2, (1, 1)), (3, (2, 1))])
def test_components_are_split_where_that_gains_most(
    clusters: int, counts: tuple[int, int], planted: Callable[..., Any]
) -> None:
    blocks, _ = planted((20, 20))
    whole, _ = planted((30,))
    weights = np.zeros((70, 70))
    weights[:40, :40], weights[40:, 40:] = blocks.adjacency.toarray(), whole.adjacency.toarray()
    labels = Spectral(clusters=clusters).cluster(harness.Graph.from_weights(weights), seed=0)
    assert (len(set(labels[:40])), len(set(labels[40:]))) == counts


@pytest.mark.parametrize("parameter", ["clusters", "max_clusters"])
def test_fewer_than_one_cluster_is_refused(parameter: str) -> None:
    with pytest.raises(harness.HarnessError, match=f"spectral: {parameter} must be at least 1"):
        Spectral(**{parameter: 0})
