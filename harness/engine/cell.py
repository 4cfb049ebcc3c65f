"""The pure heart of a run: clusters and scores one map × graph builder × clusterer."""

import math
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from harness.engine import checks
from harness.errors import InvalidResultError
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
        for graph in checks.graphs(builder.build(drawn, level), level, drawn.n):
            whole = _whole(drawn, graph)
            edges, draw_seed = checks.edges(graph), seed_of(seed, draw)
            yield _point(clusterer, graph, edges, draw_seed, whole, None, resolution)


def _swept(
    graphs: Iterable[Graph],
    attention: AttentionMap,
    clusterer: Clusterer,
    seed: int,
    resolution: float,
) -> Iterator[tuple[Graph, Point]]:
    """Yield each level's graph with its point; a graph like the one before is not clustered."""
    whole: _Whole | None = None
    before: checks.Edges | None = None
    previous: Point | None = None
    for graph in graphs:
        if previous is not None and before is not None and checks.has_edges(graph, before):
            jaccard = _jaccard(previous, previous.labels)
            point = replace(previous, jaccard_previous=jaccard, seconds=0.0)
            point = replace(point, level=graph.level, threshold=graph.threshold)
        else:
            if whole is None:
                whole = _whole(attention, graph)
            before = checks.edges(graph)
            point = _point(clusterer, graph, before, seed, whole, previous, resolution)
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
    clusterer: Clusterer,
    graph: Graph,
    edges: checks.Edges,
    seed: int,
    whole: _Whole,
    previous: Point | None,
    resolution: float,
) -> Point:
    """Cluster a graph and score the labels."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            started = time.perf_counter()
            returned = clusterer.cluster(graph, seed=seed)
            seconds = time.perf_counter() - started
        partition = _checked(returned, graph, edges)
    except InvalidResultError as error:
        raise type(error)(f"at level {graph.level:g}: {error}") from error
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        writes = f"at level {graph.level:g}: cluster() writes into its graph: {error}"
        raise InvalidResultError(writes) from error
    labels = partition.labels
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
        seconds=seconds,
        labels=labels,
        diagnostics=partition.diagnostics,
        warnings=checks.warnings(caught),
    )


def _whole(attention: AttentionMap, pruned: Graph) -> _Whole:
    unpruned = Graph.from_weights(attention.weights, self_loops=pruned.self_loops)
    return _Whole(unpruned, ranked(unpruned))


def _jaccard(previous: Point | None, labels: Integers) -> float:
    return math.nan if previous is None else best_match_jaccard(previous.labels, labels)


def _checked(returned: Any, graph: Graph, edges: checks.Edges) -> Partition:
    if not checks.has_edges(graph, edges):
        raise InvalidResultError("cluster() changed the graph that it was given")
    partition = returned if isinstance(returned, Partition) else Partition(returned)
    labels = checks.labels(partition.labels, graph.n)
    return Partition(labels, checks.diagnostics(partition.diagnostics))
