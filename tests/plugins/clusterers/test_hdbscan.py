from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.cluster import HDBSCAN
from sklearn.metrics import adjusted_rand_score

import harness
from harness_plugins.clusterers.hdbscan import Hdbscan


def test_clusters_are_those_of_scikit_learn(planted: Callable[..., Any]) -> None:
    graph, _ = planted((30, 40), inside=0.5, across=0.1)
    reference = HDBSCAN(min_cluster_size=5, copy=True).fit_predict(graph.adjacency.toarray())
    assert adjusted_rand_score(reference, Hdbscan().cluster(graph, seed=0)) == 1


def test_nodes_too_few_for_two_clusters_are_unassigned(planted: Callable[..., Any]) -> None:
    graph, _ = planted((19,))
    assert set(Hdbscan(min_cluster_size=10).cluster(graph, seed=0)) == {-1}


def test_more_samples_than_neighbours_are_as_many_as_there_are(
    planted: Callable[..., Any],
) -> None:
    graph, _ = planted((12,))
    most, more = (Hdbscan(min_samples=count).cluster(graph, seed=0) for count in (11, 50))
    assert np.array_equal(most, more)


@pytest.mark.parametrize(("parameter", "least"), [("min_cluster_size", 2), ("min_samples", 1)])
def test_too_small_parameters_are_refused(parameter: str, least: int) -> None:
    message = f"hdbscan: {parameter} must be at least {least}"
    with pytest.raises(harness.HarnessError, match=message):
        Hdbscan(**{parameter: least - 1})
