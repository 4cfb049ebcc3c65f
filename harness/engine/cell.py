"""The pure heart of a run: clusters and scores one map × graph builder × clusterer."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from harness.engine import checks
from harness.engine.sweep import Clustered, clustered
from harness.metrics.jaccard import best_match_jaccard
from harness.metrics.modularity import modularity_of, ranked, z_modularity
from harness.metrics.partition import cluster_count, coverage, unassigned_as_singletons
from harness.planning.identity import seed_of
from harness.plugin.base import Clusterer, GraphBuilder, Perturbation
from harness.plugin.graph import Graph, Partition
from harness.plugin.profile import Point
from harness.plugin.values import AttentionMap, Integers


class _Whole(NamedTuple):
    """An unpruned map, with its diagonal where the builder keeps self-loops, and its ranks."""

    map: Graph
    ranked: Graph


def profile(
    attention: AttentionMap,
    builder: GraphBuilder,
    clusterer: Clusterer,
    *,
    n_levels: int,
    seed: int,
    resolution: float,
    rescore: bool = False,
) -> Iterator[Point]:
    """Yield the points of a profile, level by level.

    With `rescore`, every level gets the partition with the largest modularity on its graph among
    those of all levels, and all points come at the end. Raises InvalidResultError if a component
    returns an invalid result or changes its arguments.
    """
    levels = checks.levels(builder.levels(attention, n_levels), n_levels)
    graphs = checks.graphs(builder.build(attention, levels), levels, attention.n)
    swept = _swept(graphs, attention, clusterer, seed, resolution)
    return _rescored(list(swept), resolution) if rescore else (point for _, point in swept)


def perturbed(
    attention: AttentionMap,
    perturbation: Perturbation,
    builder: GraphBuilder,
    clusterer: Clusterer,
    *,
    n_levels: int,
    point: int,
    n_draws: int,
    perturbation_seed: int,
    seed: int,
    resolution: float,
) -> Iterator[Point]:
    """Yield a point for each draw of a perturbation, with its own seeds, at one level's index."""
    level = checks.levels(builder.levels(attention, n_levels), n_levels)[point : point + 1]
    for draw in range(n_draws):
        returned = perturbation.draw(attention, seed_of(perturbation_seed, draw))
        drawn = checks.drawn(returned, attention, perturbation.name)
        graphs = checks.graphs(builder.build(drawn, level), level, drawn.n)
        for _, found in _swept(graphs, drawn, clusterer, seed_of(seed, draw), resolution):
            yield found


def _swept(
    graphs: Iterable[Graph],
    attention: AttentionMap,
    clusterer: Clusterer,
    seed: int,
    resolution: float,
) -> Iterator[tuple[Graph, Point]]:
    """Yield each level's graph with its point."""
    whole: _Whole | None = None
    previous: Point | None = None
    for found in clustered(clusterer, graphs, seed=seed):
        graph, partition = found.graph, found.partition
        if partition is not None:
            if whole is None:
                whole = _whole(attention, graph)
            point = _point(found, partition, whole, previous, resolution)
        elif previous is not None:
            jaccard = _jaccard(previous, previous.labels)
            point = replace(previous, jaccard_previous=jaccard, seconds=0.0)
            point = replace(point, level=graph.level, threshold=graph.threshold)
        yield graph, point
        previous = point


def _rescored(swept: Sequence[tuple[Graph, Point]], resolution: float) -> Iterator[Point]:
    """The points with the best partition for each level, its own if no other is better."""
    points = {point.labels.tobytes(): point for _, point in swept}
    communities = {key: unassigned_as_singletons(each.labels) for key, each in points.items()}
    previous: Point | None = None
    for graph, point in swept:
        own = point.labels.tobytes()
        scores = {key: modularity_of(graph, each, resolution) for key, each in communities.items()}
        best = max(scores, key=scores.__getitem__)
        # NaN fails the comparison; so it is where the graph has no edge.
        if not scores[best] > scores[own]:
            best = own
        chosen = points[best]
        yield replace(
            point,
            modularity=scores[best],
            modularity_full=chosen.modularity_full,
            z_modularity=chosen.z_modularity,
            n_clusters=chosen.n_clusters,
            coverage=chosen.coverage,
            labels=chosen.labels,
            jaccard_previous=_jaccard(previous, chosen.labels),
        )
        previous = chosen


def _point(
    found: Clustered,
    partition: Partition,
    whole: _Whole,
    previous: Point | None,
    resolution: float,
) -> Point:
    """Score the labels of a graph."""
    graph, labels = found.graph, partition.labels
    communities = unassigned_as_singletons(labels)
    return Point(
        level=graph.level,
        threshold=graph.threshold,
        density=graph.density,
        modularity=modularity_of(graph, communities, resolution),
        modularity_full=modularity_of(whole.map, communities, resolution),
        z_modularity=z_modularity(whole.ranked, communities),
        n_clusters=cluster_count(labels),
        coverage=coverage(labels),
        largest_component_fraction=graph.largest_component_fraction,
        isolated_fraction=float(graph.isolated.mean()),
        jaccard_previous=_jaccard(previous, labels),
        seconds=found.seconds,
        labels=labels,
        diagnostics=partition.diagnostics,
        warnings=found.warnings,
    )


def _whole(attention: AttentionMap, pruned: Graph) -> _Whole:
    unpruned = Graph.from_weights(attention.weights, self_loops=pruned.self_loops)
    return _Whole(unpruned, ranked(unpruned))


def _jaccard(previous: Point | None, labels: Integers) -> float:
    return math.nan if previous is None else best_match_jaccard(previous.labels, labels)
