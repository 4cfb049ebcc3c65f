"""The pure heart of a run: one map × builder × clusterer at all levels, scored."""

import math
import time
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from harness.components import Clusterer, GraphBuilder
from harness.engine import checks
from harness.errors import InvalidResult
from harness.scores.jaccard import best_match_jaccard
from harness.scores.modularity import modularity_of
from harness.scores.partition import cluster_count, coverage, unassigned_as_singletons
from harness.values import AttentionMap, Graph, Integers, Partition, Point


def profile(
    attention: AttentionMap,
    builder: GraphBuilder,
    clusterer: Clusterer,
    *,
    levels: int,
    seed: int,
    resolution: float,
) -> Iterator[Point]:
    """The points of a profile, level by level, as they are computed.

    A graph with the very edges of the level before is not clustered again: it would get the same
    labels. The unpruned map that `modularity_full` is taken on has a diagonal if the builder's
    graphs allow self-loops. Raises InvalidResult if a component returns what it must not or
    changes what it is given, and whatever the components raise.
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
            try:
                found = _clustered(clusterer, graph, edges, seed)
            except InvalidResult as error:
                raise type(error)(f"at level {graph.level:g}: {error}") from error
            communities = unassigned_as_singletons(found.labels)
            point = Point(
                level=graph.level,
                threshold=graph.threshold,
                density=graph.density,
                modularity=modularity_of(graph, communities, resolution),
                modularity_full=modularity_of(whole, communities, resolution),
                n_clusters=cluster_count(found.labels),
                coverage=coverage(found.labels),
                giant_share=graph.giant_share,
                isolated_share=float(graph.isolated.mean()),
                jaccard_previous=(
                    math.nan
                    if previous is None
                    else best_match_jaccard(previous.labels, found.labels)
                ),
                seconds=found.seconds,
                labels=found.labels,
                diagnostics=found.diagnostics,
                warnings=found.warnings,
            )
        yield point
        before, previous = edges, point


@dataclass(frozen=True, eq=False)
class _Clustered:
    """What a clusterer did with one graph, checked."""

    labels: Integers
    diagnostics: Mapping[str, float]
    warnings: tuple[str, ...]
    seconds: float


def _clustered(clusterer: Clusterer, graph: Graph, edges: checks.Edges, seed: int) -> _Clustered:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        started = time.perf_counter()
        try:
            returned = clusterer.cluster(graph, seed=seed)
        except ValueError as error:
            if "read-only" in str(error):
                raise InvalidResult(f"cluster() writes into what it is given: {error}") from error
            raise
        seconds = time.perf_counter() - started
    if not edges.equal(checks.Edges.of(graph)):
        raise InvalidResult("cluster() changed the graph that it was given")
    partition = returned if isinstance(returned, Partition) else Partition(returned)
    return _Clustered(
        checks.labels(partition.labels, graph.n),
        checks.diagnostics(partition.diagnostics),
        checks.warnings(caught),
        seconds,
    )
