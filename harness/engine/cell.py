"""The pure heart of a run: one map × builder × clusterer, clustered and scored."""

import math
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

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


def profile(
    attention: AttentionMap,
    builder: GraphBuilder,
    clusterer: Clusterer,
    *,
    levels: int,
    seed: int,
    resolution: float,
    rescore: bool = False,
) -> Iterator[Point]:
    """The points of a profile, level by level, as they are computed.

    A graph with the very edges of the level before is not clustered again: it would get the same
    labels. With `rescore` every level keeps that partition, of all that were found at any level,
    which has the largest modularity on its own graph; points then come at the end. Raises
    InvalidResultError if a component returns what it must not or changes what it is given, and
    whatever the components raise.
    """
    swept = _swept(attention, builder, clusterer, levels, seed, resolution)
    return _rescored(list(swept), resolution) if rescore else (point for _, point in swept)


def perturbed(
    attention: AttentionMap,
    perturbation: Perturbation,
    builder: GraphBuilder,
    clusterer: Clusterer,
    *,
    levels: int,
    point: int,
    draws: int,
    perturbation_seed: int,
    seed: int,
    resolution: float,
) -> Iterator[Point]:
    """One point a draw of a perturbation, at the level that is number `point` of so many.

    Each draw has seeds of its own. Raises what `profile` raises.
    """
    level = checks.levels(builder.levels(attention, levels), levels)[point : point + 1]
    for draw in range(draws):
        drawn = checks.drawn(
            perturbation.draw(attention, seed_of(perturbation_seed, draw)),
            attention,
            perturbation.name,
        )
        for graph in checks.graphs(builder.build(drawn, level), level, drawn.n):
            whole = Graph.from_weights(drawn.weights, self_loops=graph.self_loops)
            edges = checks.Edges.copied_from(graph)
            found = _clustered(clusterer, graph, edges, seed_of(seed, draw))
            yield _scored(graph, whole, found, math.nan, resolution)


def _swept(
    attention: AttentionMap,
    builder: GraphBuilder,
    clusterer: Clusterer,
    levels: int,
    seed: int,
    resolution: float,
) -> Iterator[tuple[Graph, Point]]:
    """Each level's graph with its point.

    The unpruned map that `modularity_full` is taken on has a diagonal if the builder's graphs
    allow self-loops.
    """
    wanted = checks.levels(builder.levels(attention, levels), levels)
    whole: Graph | None = None
    before: checks.Edges | None = None
    previous: Point | None = None
    for graph in checks.graphs(builder.build(attention, wanted), wanted, attention.n):
        edges = checks.Edges.copied_from(graph)
        if previous is not None and before is not None and edges.equal(before):
            point = replace(
                previous,
                level=graph.level,
                threshold=graph.threshold,
                jaccard_previous=best_match_jaccard(previous.labels, previous.labels),
                seconds=0.0,
            )
        else:
            if whole is None:
                whole = Graph.from_weights(attention.weights, self_loops=graph.self_loops)
            found = _clustered(clusterer, graph, edges, seed)
            jaccard = (
                math.nan if previous is None else best_match_jaccard(previous.labels, found.labels)
            )
            point = _scored(graph, whole, found, jaccard, resolution)
        yield graph, point
        before, previous = edges, point


def _rescored(swept: Sequence[tuple[Graph, Point]], resolution: float) -> Iterator[Point]:
    """The points with the best of all partitions at each level, its own where none is better."""
    founds = {point.labels.tobytes(): point for _, point in swept}
    communities = {key: unassigned_as_singletons(each.labels) for key, each in founds.items()}
    previous: Point | None = None
    for graph, point in swept:
        own = point.labels.tobytes()
        scores = {
            key: modularity_of(graph, labels, resolution) for key, labels in communities.items()
        }
        best = max(scores, key=scores.__getitem__)
        # Undefined where the graph has no edge.
        if not scores[best] > scores[own]:
            best = own
        kept = founds[best]
        yield replace(
            point,
            modularity=scores[best],
            modularity_full=kept.modularity_full,
            n_clusters=kept.n_clusters,
            coverage=kept.coverage,
            labels=kept.labels,
            jaccard_previous=(
                math.nan if previous is None else best_match_jaccard(previous.labels, kept.labels)
            ),
        )
        previous = kept


def _scored(
    graph: Graph, whole: Graph, found: "_Clustered", jaccard_previous: float, resolution: float
) -> Point:
    communities = unassigned_as_singletons(found.labels)
    return Point(
        level=graph.level,
        threshold=graph.threshold,
        density=graph.density,
        modularity=modularity_of(graph, communities, resolution),
        modularity_full=modularity_of(whole, communities, resolution),
        n_clusters=cluster_count(found.labels),
        coverage=coverage(found.labels),
        largest_component_fraction=graph.largest_component_fraction,
        isolated_fraction=float(graph.isolated.mean()),
        jaccard_previous=jaccard_previous,
        seconds=found.seconds,
        labels=found.labels,
        diagnostics=found.diagnostics,
        warnings=found.warnings,
    )


@dataclass(frozen=True, eq=False)
class _Clustered:
    """What a clusterer did with one graph, checked."""

    labels: Integers
    diagnostics: Mapping[str, float]
    warnings: tuple[str, ...]
    seconds: float


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
                raise InvalidResultError(
                    f"cluster() writes into what it is given: {error}"
                ) from error
            raise
        seconds = time.perf_counter() - started
    if not edges.equal(checks.Edges.of(graph)):
        raise InvalidResultError("cluster() changed the graph that it was given")
    partition = returned if isinstance(returned, Partition) else Partition(returned)
    return _Clustered(
        checks.labels(partition.labels, graph.n),
        checks.diagnostics(partition.diagnostics),
        checks.warnings(caught),
        seconds,
    )
