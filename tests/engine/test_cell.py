import math
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import networkx
import numpy as np
import pytest

import harness
from harness.engine.cell import profile
from harness.scores.partition import InvalidLabels
from harness.values import Point


@dataclass(frozen=True)
class Halves(harness.Clusterer):
    """Even and odd nodes under huge labels, the last node unassigned, with a warning."""

    name: ClassVar[str] = "halves"

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Partition:
        warnings.warn("not converged", stacklevel=1)
        labels = np.where(np.arange(graph.n) % 2, 10**9, 7)
        labels[-1] = -1
        return harness.Partition(labels, {"gap": 0.25, "lost": math.nan})


@dataclass(frozen=True)
class Short(harness.Clusterer):
    """One label too few."""

    name: ClassVar[str] = "short"

    def cluster(self, graph: harness.Graph, *, seed: int) -> Any:
        return np.zeros(graph.n - 1, dtype=int)


def points(clusterer: harness.Clusterer, graph: str = "threshold", levels: int = 5) -> list[Point]:
    weights = np.random.default_rng(0).random((14, 14)).astype(np.float32)
    builder = harness.make("graph builder", graph)
    attention = harness.AttentionMap(weights)
    return list(profile(attention, builder, clusterer, levels=levels, seed=1, resolution=0.7))


def networkx_modularity(weights: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> float:
    graph = networkx.from_numpy_array(weights, create_using=networkx.DiGraph)
    singletons = [{node} for node in np.flatnonzero(labels == -1).tolist()]
    clusters = [set(np.flatnonzero(labels == label).tolist()) for label in range(labels.max() + 1)]
    return float(networkx.community.modularity(graph, clusters + singletons, resolution=0.7))


def test_both_modularities_are_networkx_modularities_of_the_stored_labels() -> None:
    weights = np.random.default_rng(0).random((14, 14)).astype(np.float32).astype(np.float64)
    np.fill_diagonal(weights, 0.0)

    for point in points(Halves()):
        pruned = np.where(weights >= point.threshold, weights, 0.0)
        assert point.modularity == pytest.approx(
            networkx_modularity(pruned, point.labels), abs=1e-9
        )
        assert point.modularity_full == pytest.approx(
            networkx_modularity(weights, point.labels), abs=1e-9
        )


def test_the_full_map_keeps_its_diagonal_where_the_builder_keeps_self_loops() -> None:
    weights = np.random.default_rng(0).random((14, 14)).astype(np.float32).astype(np.float64)

    (point,) = points(Halves(), "threshold[self_loops=true]", levels=1)

    assert point.modularity_full == pytest.approx(
        networkx_modularity(weights, point.labels), abs=1e-9
    )


def test_labels_are_renumbered_and_unassigned_nodes_stay_so() -> None:
    (point,) = points(Halves(), levels=1)

    assert sorted(set(point.labels.tolist())) == [-1, 0, 1]
    assert point.coverage == pytest.approx(13 / 14)
    assert point.n_clusters == 2


def test_warnings_and_diagnostics_are_kept_with_the_point() -> None:
    (point,) = points(Halves(), levels=1)

    assert point.warnings == ("not converged",)
    assert set(point.diagnostics) == {"gap", "lost"}
    assert point.diagnostics["gap"] == 0.25
    assert math.isnan(point.diagnostics["lost"])


def test_the_first_level_has_nothing_to_be_compared_with() -> None:
    first, *others = points(Halves())

    assert math.isnan(first.jaccard_previous)
    assert [point.jaccard_previous for point in others] == [1.0] * 4


def test_labels_of_the_wrong_length_are_invalid() -> None:
    with pytest.raises(InvalidLabels, match=r"at level 0: labels must be \(14,\)"):
        points(Short())
