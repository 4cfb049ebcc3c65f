from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

import harness
from harness_plugins.clusterers.kmeans import Kmeans


def test_the_number_of_clusters_is_as_given(planted: Callable[..., Any]) -> None:
    graph, _ = planted((20, 20))
    assert len(set(Kmeans(clusters=5).cluster(graph, seed=0))) == 5


def test_no_other_number_has_a_higher_silhouette(planted: Callable[..., Any]) -> None:
    graph, _ = planted((20, 20, 20), inside=0.5, across=0.2)
    rows = graph.adjacency.toarray()
    chosen = silhouette_score(rows, Kmeans().cluster(graph, seed=0))
    for count in range(2, 11):
        labels = Kmeans(clusters=count).cluster(graph, seed=0)
        assert chosen >= silhouette_score(rows, labels) - 1e-9


def test_patches_that_attend_to_the_same_are_alike_without_edges_between_them() -> None:
    weights = np.zeros((6, 6))
    weights[:2, 4], weights[2:4, 5] = 1.0, 1.0
    labels = Kmeans(clusters=3).cluster(harness.Graph.from_weights(weights), seed=0)
    assert labels[0] == labels[1] != labels[2] == labels[3]
    assert labels[4] == labels[5]  # which attend to nothing


def test_there_are_no_more_clusters_than_different_rows() -> None:
    weights = np.zeros((4, 4))
    weights[:3, 3] = 1.0
    labels = Kmeans(clusters=4).cluster(harness.Graph.from_weights(weights), seed=0)
    assert len(set(labels)) == 2


@pytest.mark.parametrize(("parameter", "least"), [("clusters", 1), ("max_clusters", 2)])
def test_too_few_clusters_are_refused(parameter: str, least: int) -> None:
    with pytest.raises(harness.HarnessError, match=f"kmeans: {parameter} must be at least {least}"):
        Kmeans(**{parameter: least - 1})
