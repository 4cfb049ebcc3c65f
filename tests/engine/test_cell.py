import math
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import networkx
import numpy as np
import pytest

import harness
from harness.engine.cell import perturbed, profile
from harness.errors import InvalidResultError
from harness.metrics.partition import InvalidLabelsError
from harness.plugin.profile import Point


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
    return list(profile(attention, builder, clusterer, n_levels=levels, seed=1, resolution=0.7))


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


def test_the_z_modularity_is_that_on_the_sum_of_all_pruned_graphs() -> None:
    weights = np.random.default_rng(0).random((14, 14)).astype(np.float32).astype(np.float64)
    np.fill_diagonal(weights, 0.0)
    summed = np.sum([weights >= weight for weight in weights[weights > 0]], axis=0)

    for point in points(Halves()):
        # The unassigned last node is a cluster of its own.
        clusters = np.where(point.labels < 0, 2, point.labels)
        together = clusters[:, None] == clusters
        inside = summed[together].sum() / summed.sum()
        expected = np.outer(summed.sum(axis=1), summed.sum(axis=0))[together].sum()
        expected /= summed.sum() ** 2
        assert point.z_modularity == pytest.approx(
            (inside - expected) / np.sqrt(expected * (1 - expected)), abs=1e-9
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


def test_warnings_and_diagnostics_are_stored_with_the_point() -> None:
    (point,) = points(Halves(), levels=1)

    assert point.warnings == ("not converged",)
    assert set(point.diagnostics) == {"gap", "lost"}
    assert point.diagnostics["gap"] == 0.25
    assert math.isnan(point.diagnostics["lost"])


def test_the_first_level_has_no_level_to_compare_with() -> None:
    first, *others = points(Halves())

    assert math.isnan(first.jaccard_previous)
    assert [point.jaccard_previous for point in others] == [1.0] * 4


def test_labels_of_the_wrong_length_are_invalid() -> None:
    with pytest.raises(InvalidLabelsError, match=r"at level 0: labels must be \(14,\)"):
        points(Short())


@dataclass(frozen=True)
class ByLevel(harness.Clusterer):
    """Halves of the nodes on sparse graphs, one cluster on dense ones."""

    name: ClassVar[str] = "by-level"

    def cluster(self, graph: harness.Graph, *, seed: int) -> Any:
        return np.arange(graph.n) // (7 if graph.density < 0.5 else graph.n)


def two_blocks() -> harness.AttentionMap:
    block = np.arange(14) // 7
    weights = np.random.default_rng(0).random((14, 14)) + 1.0 * (block[:, None] == block)
    return harness.AttentionMap(weights)


def test_rescored_levels_keep_the_best_partition_that_any_level_found() -> None:
    builder = harness.make("graph builder", "threshold")
    how: dict[str, Any] = {"n_levels": 6, "seed": 1, "resolution": 1.0}
    own = list(profile(two_blocks(), builder, ByLevel(), **how))
    best = list(profile(two_blocks(), builder, ByLevel(), rescore=True, **how))
    graphs = list(builder.build(two_blocks(), np.array([point.level for point in own])))

    assert own[0].n_clusters == 1
    for point, graph in zip(best, graphs, strict=True):
        of_all = [harness.modularity(graph, each.labels) for each in own]
        assert point.modularity == pytest.approx(max(of_all))
        assert point.modularity == pytest.approx(harness.modularity(graph, point.labels))
        assert (point.level, point.density) == (graph.level, graph.density)
    assert best[0].n_clusters == 2


@dataclass(frozen=True)
class Doubling(harness.Perturbation):
    """The same map with its first weight replaced by one that the seed determines."""

    name: ClassVar[str] = "doubling"

    def draw(self, attention: harness.AttentionMap, *, seed: int) -> harness.AttentionMap:
        weights = attention.weights.copy()
        weights[0, 1] = 2 + seed / 2**32
        return harness.AttentionMap(weights)


@dataclass(frozen=True)
class Echo(harness.Clusterer):
    """Tells by its diagnostics what it was given."""

    name: ClassVar[str] = "echo"

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Partition:
        return harness.Partition(
            np.arange(graph.n) % 2, {"seed": seed, "first": graph.adjacency[0, 1]}
        )


def perturbed_points(perturbation: harness.Perturbation) -> list[Point]:
    builder = harness.make("graph builder", "threshold")
    return list(
        perturbed(
            two_blocks(),
            perturbation,
            builder,
            Echo(),
            n_levels=5,
            point=3,
            n_draws=4,
            perturbation_seed=7,
            seed=9,
            resolution=1.0,
        )
    )


def test_every_draw_of_a_perturbation_is_clustered_at_the_selected_level() -> None:
    builder = harness.make("graph builder", "threshold")
    points = perturbed_points(Doubling())

    assert {point.level for point in points} == {builder.levels(two_blocks(), 5)[3]}
    assert len({point.diagnostics["first"] for point in points}) == 4
    assert len({point.diagnostics["seed"] for point in points}) == 4


def test_perturbed_points_are_scored_on_the_perturbed_map() -> None:
    builder = harness.make("graph builder", "threshold")
    level = builder.levels(two_blocks(), 5)[3:4]

    for point in perturbed_points(Doubling()):
        drawn = two_blocks().weights.copy()
        drawn[0, 1] = point.diagnostics["first"]
        (graph,) = builder.build(drawn, level)
        assert point.modularity == pytest.approx(harness.modularity(graph, point.labels))


def test_perturbed_points_are_not_scored_on_the_unpruned_map() -> None:
    for point in perturbed_points(Doubling()):
        assert math.isnan(point.modularity_full)
        assert math.isnan(point.z_modularity)


def test_the_same_seeds_perturb_alike() -> None:
    first, second = perturbed_points(Doubling()), perturbed_points(Doubling())

    assert [point.diagnostics for point in first] == [point.diagnostics for point in second]


@dataclass(frozen=True)
class Shrinking(harness.Perturbation):
    """A map of other size than the one it was given."""

    name: ClassVar[str] = "shrinking"

    def draw(self, attention: harness.AttentionMap, *, seed: int) -> harness.AttentionMap:
        return harness.AttentionMap(attention.weights[:-1, :-1].copy())


def test_a_perturbation_that_changes_the_size_is_named() -> None:
    with pytest.raises(
        InvalidResultError, match=r"shrinking drew \(13, 13\) from a map of \(14, 14\)"
    ):
        perturbed_points(Shrinking())
