"""What every shipped clusterer finds; `tests/testing/test_shipped.py` has what all keep to."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

import harness
from harness.plugin import registry
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


# A label may flood a block before that has one of its own; HDBSCAN of rows in many dimensions
# joins blocks or calls nodes noise.
@every_clusterer_but(LabelPropagation, Hdbscan)
@pytest.mark.parametrize("sizes", [(30, 30), (25, 25, 25, 25)])
def test_clear_blocks_are_recovered_exactly(
    clusterer: harness.Clusterer, sizes: tuple[int, ...], planted: Callable[..., Any]
) -> None:
    graph, truth = planted(sizes)
    assert adjusted_rand_score(truth, labels_of(clusterer, graph)) == 1


# Clustering of rows sees where edges end, not what they connect.
@every_clusterer_but(Kmeans, Hdbscan)
def test_components_never_share_a_cluster(
    clusterer: harness.Clusterer, planted: Callable[..., Any]
) -> None:
    graph, truth = planted((20, 20, 4), inside=0.9, across=0.0)
    labels = labels_of(clusterer, graph)
    for label in set(labels) - {-1}:
        assert len(set(truth[labels == label])) == 1
