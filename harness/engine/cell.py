"""The pure heart of a run: clusters and scores one map × graph builder × clusterer."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from harness.engine import checks
from harness.engine.sweep import Clustered, clustered
from harness.metrics.jaccard import jaccard_of
from harness.metrics.modularity import Pairs, ScoredGraph, UnprunedMap
from harness.metrics.partition import communities_of, count_of, coverage
from harness.planning.identity import seed_of
from harness.plugin.base import Clusterer, GraphBuilder
from harness.plugin.draws import Perturbation
from harness.plugin.graph import Graph, Partition
from harness.plugin.profile import Point
from harness.plugin.values import AttentionMap, Integers

# Stand for the scores on an unpruned map that nobody reads.
UNSCORED = math.nan, math.nan


def profile(
    attention: AttentionMap,
    builder: GraphBuilder,
    clusterer: Clusterer,
    *,
    n_levels: int,
    seed: int,
    resolution: float,
    rescore: bool = False,
    unpruned: UnprunedMap | None = None,
) -> Iterator[Point]:
    """Yield the points of a profile, level by level.

    With `rescore`, every level gets the partition with the largest modularity on its graph among
    those of all levels, and all points come at the end. `unpruned` is the same map, if it was
    scored on before. Raises InvalidResultError if a component returns an invalid result or changes
    its arguments.
    """
    levels = checks.levels(builder.levels(attention, n_levels), n_levels)
    graphs = checks.graphs(builder.build(attention, levels), levels, attention.n)
    swept = _swept(graphs, clusterer, seed, resolution, unpruned or UnprunedMap(attention))
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
    """Yield a point for each draw of a perturbation, with its own seeds, at one level's index.

    It is compared with other points by its labels alone, and not scored on the unpruned map, which
    would take longer than its graph.
    """
    level = checks.levels(builder.levels(attention, n_levels), n_levels)[point : point + 1]
    for draw in range(n_draws):
        returned = perturbation.draw(attention, seed=seed_of(perturbation_seed, draw))
        drawn = checks.drawn(returned, attention, perturbation.name)
        graphs = checks.graphs(builder.build(drawn, level), level, drawn.n)
        for _, found in _swept(graphs, clusterer, seed_of(seed, draw), resolution):
            yield found


def _swept(
    graphs: Iterable[Graph],
    clusterer: Clusterer,
    seed: int,
    resolution: float,
    unpruned: UnprunedMap | None = None,
) -> Iterator[tuple[Graph, Point]]:
    """Yield each level's graph with its point, scored on the unpruned map too if it is given."""
    previous: tuple[Point, Integers] | None = None
    for found in clustered(clusterer, graphs, seed=seed):
        graph = found.graph
        if found.partition is not None:
            communities = communities_of(found.partition.labels)
            pairs, full = Pairs(communities), UNSCORED
            if unpruned is not None:
                full = unpruned.scores(pairs, resolution, self_loops=graph.self_loops)
            before = None if previous is None else previous[1]
            point = _point(found, found.partition, pairs, before, resolution, full)
        elif previous is not None:
            point, communities = previous
            point = replace(
                point,
                level=graph.level,
                threshold=graph.threshold,
                jaccard_previous=jaccard_of(communities, communities),
                seconds=0.0,
            )
        yield graph, point
        previous = point, communities


def _rescored(swept: Sequence[tuple[Graph, Point]], resolution: float) -> Iterator[Point]:
    """The points with the best partition for each level, its own if no other is better."""
    points = {point.labels.tobytes(): point for _, point in swept}
    communities = {key: communities_of(each.labels) for key, each in points.items()}
    previous: Integers | None = None
    for graph, point in swept:
        own = point.labels.tobytes()
        scored = ScoredGraph(graph)
        scores = {
            key: scored.modularity(Pairs(each), resolution) for key, each in communities.items()
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
            z_modularity=chosen.z_modularity,
            n_clusters=chosen.n_clusters,
            coverage=chosen.coverage,
            labels=chosen.labels,
            jaccard_previous=_jaccard(previous, communities[best]),
        )
        previous = communities[best]


def _point(
    found: Clustered,
    partition: Partition,
    pairs: Pairs,
    before: Integers | None,
    resolution: float,
    full: tuple[float, float],
) -> Point:
    """Score the labels of a graph."""
    graph, labels = found.graph, partition.labels
    return Point(
        level=graph.level,
        threshold=graph.threshold,
        density=graph.density,
        modularity=ScoredGraph(graph).modularity(pairs, resolution),
        modularity_full=full[0],
        z_modularity=full[1],
        n_clusters=count_of(pairs.sizes),
        coverage=coverage(labels),
        largest_component_fraction=graph.largest_component_fraction,
        isolated_fraction=graph.isolated_fraction,
        jaccard_previous=_jaccard(before, pairs.communities),
        seconds=found.seconds,
        labels=labels,
        diagnostics=partition.diagnostics,
        warnings=found.warnings,
    )


def _jaccard(before: Integers | None, communities: Integers) -> float:
    return math.nan if before is None else jaccard_of(before, communities)
