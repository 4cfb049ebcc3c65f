"""The pure heart of a run: clusters and scores one map × graph builder × clusterer."""

import math
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace

from harness.engine import checks
from harness.errors import InvalidResultError
from harness.metrics.jaccard import best_match_jaccard
from harness.metrics.modularity import modularity_of
from harness.metrics.partition import cluster_count, coverage, unassigned_as_singletons
from harness.planning.identity import seed_of
from harness.plugin.base import Clusterer, GraphBuilder, Perturbation
from harness.plugin.graph import Graph, Partition
from harness.plugin.profile import Point
from harness.plugin.values import AttentionMap, Integers

# A checked partition, the warnings of the clusterer, and its seconds.
_Clustered = tuple[Partition, tuple[str, ...], float]


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

    A graph with exactly the edges of the level before is not clustered again: it would get the
    same labels. With `rescore`, every level gets the partition with the largest modularity on its
    graph among those of all levels, and all points come at the end. Raises InvalidResultError if
    a component returns an invalid result or changes its arguments, and what components raise.
    """
    swept = _swept(attention, builder, clusterer, n_levels, seed, resolution)
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
    """Yield one point for each draw of a perturbation, at the level with the index `point`.

    Every draw has its own seeds. Raises what `profile` raises.
    """
    level = checks.levels(builder.levels(attention, n_levels), n_levels)[point : point + 1]
    for draw in range(n_draws):
        drawn = checks.drawn(
            perturbation.draw(attention, seed_of(perturbation_seed, draw)),
            attention,
            perturbation.name,
        )
        for graph in checks.graphs(builder.build(drawn, level), level, drawn.n):
            whole = Graph.from_weights(drawn.weights, self_loops=graph.self_loops)
            found = _clustered(clusterer, graph, checks.edges(graph), seed_of(seed, draw))
            yield _scored(graph, whole, found, None, resolution)


def _swept(
    attention: AttentionMap,
    builder: GraphBuilder,
    clusterer: Clusterer,
    n_levels: int,
    seed: int,
    resolution: float,
) -> Iterator[tuple[Graph, Point]]:
    """Yield each level's graph with its point.

    `modularity_full` is that on the unpruned map, with its diagonal if the builder's graphs allow
    self-loops.
    """
    wanted = checks.levels(builder.levels(attention, n_levels), n_levels)
    whole: Graph | None = None
    before: checks.Edges | None = None
    previous: Point | None = None
    for graph in checks.graphs(builder.build(attention, wanted), wanted, attention.n):
        if previous is not None and before is not None and checks.has_edges(graph, before):
            point = replace(
                previous,
                level=graph.level,
                threshold=graph.threshold,
                jaccard_previous=_jaccard(previous, previous.labels),
                seconds=0.0,
            )
        else:
            if whole is None:
                whole = Graph.from_weights(attention.weights, self_loops=graph.self_loops)
            before = checks.edges(graph)
            found = _clustered(clusterer, graph, before, seed)
            point = _scored(graph, whole, found, previous, resolution)
        yield graph, point
        previous = point


def _rescored(swept: Sequence[tuple[Graph, Point]], resolution: float) -> Iterator[Point]:
    """The points with the best partition for each level, its own if no other is better."""
    points = {point.labels.tobytes(): point for _, point in swept}
    communities = {key: unassigned_as_singletons(each.labels) for key, each in points.items()}
    previous: Point | None = None
    for graph, point in swept:
        own = point.labels.tobytes()
        scores = {
            key: modularity_of(graph, labels, resolution) for key, labels in communities.items()
        }
        best = max(scores, key=scores.__getitem__)
        # NaN fails the comparison; so it is where the graph has no edge.
        if not scores[best] > scores[own]:
            best = own
        chosen = points[best]
        yield replace(
            point,
            modularity=scores[best],
            modularity_full=chosen.modularity_full,
            n_clusters=chosen.n_clusters,
            coverage=chosen.coverage,
            labels=chosen.labels,
            jaccard_previous=_jaccard(previous, chosen.labels),
        )
        previous = chosen


def _scored(
    graph: Graph, whole: Graph, found: _Clustered, previous: Point | None, resolution: float
) -> Point:
    partition, caught, seconds = found
    labels = partition.labels
    communities = unassigned_as_singletons(labels)
    return Point(
        level=graph.level,
        threshold=graph.threshold,
        density=graph.density,
        modularity=modularity_of(graph, communities, resolution),
        modularity_full=modularity_of(whole, communities, resolution),
        n_clusters=cluster_count(labels),
        coverage=coverage(labels),
        largest_component_fraction=graph.largest_component_fraction,
        isolated_fraction=float(graph.isolated.mean()),
        jaccard_previous=_jaccard(previous, labels),
        seconds=seconds,
        labels=labels,
        diagnostics=partition.diagnostics,
        warnings=caught,
    )


def _jaccard(previous: Point | None, labels: Integers) -> float:
    return math.nan if previous is None else best_match_jaccard(previous.labels, labels)


def _clustered(clusterer: Clusterer, graph: Graph, edges: checks.Edges, seed: int) -> _Clustered:
    try:
        return _cluster_and_check(clusterer, graph, edges, seed)
    except InvalidResultError as error:
        raise type(error)(f"at level {graph.level:g}: {error}") from error


def _cluster_and_check(
    clusterer: Clusterer, graph: Graph, edges: checks.Edges, seed: int
) -> _Clustered:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        started = time.perf_counter()
        try:
            returned = clusterer.cluster(graph, seed=seed)
        except ValueError as error:
            if "read-only" in str(error):
                raise InvalidResultError(f"cluster() writes into its graph: {error}") from error
            raise
        seconds = time.perf_counter() - started
    if not checks.has_edges(graph, edges):
        raise InvalidResultError("cluster() changed the graph that it was given")
    partition = returned if isinstance(returned, Partition) else Partition(returned)
    labels = checks.labels(partition.labels, graph.n)
    checked = Partition(labels, checks.diagnostics(partition.diagnostics))
    return checked, checks.warnings(caught), seconds
