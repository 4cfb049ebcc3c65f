"""One figure of a score: of the labels of a stored point, on its graph made again."""

import math
from dataclasses import replace

from harness.engine import checks
from harness.errors import HarnessError
from harness.metrics.modularity import Pairs, ScoredGraph
from harness.metrics.partition import communities_of
from harness.metrics.ties import difference
from harness.plugin.base import GraphBuilder
from harness.plugin.score import LabelledGraph, Score
from harness.plugin.values import AttentionMap, Integers


def labelled_again(
    attention: AttentionMap,
    builder: GraphBuilder,
    labels: Integers,
    *,
    point: int,
    modularity: float,
    n_levels: int,
    resolution: float,
) -> LabelledGraph:
    """The graph of a map at the index of a level, with the labels that it had in a run.

    Raises HarnessError unless they have the modularity on it that they had then: only then is it
    the same graph.
    """
    level = checks.levels(builder.levels(attention, n_levels), n_levels)[point : point + 1]
    (graph,) = checks.graphs(builder.build(attention, level), level, attention.n)
    found = ScoredGraph(graph).modularity(Pairs(communities_of(labels)), resolution)
    # NaN, of a graph without edges, has no difference.
    differs = math.isnan(found) != math.isnan(modularity)
    if differs or abs(difference(found, modularity)) > 0:
        raise HarnessError(
            f"{builder.name} makes another graph than it did in the run; the command that made "
            "the run computes its cells again"
        )
    return LabelledGraph(graph.at_safe_scale(), labels, attention)


def scored(score: Score, labelled: LabelledGraph) -> float:
    """The figure of a score; it gets a copy, so that no other score sees what it changes."""
    graph = labelled.graph
    own = replace(labelled, graph=replace(graph, adjacency=graph.adjacency.copy()))
    return checks.figure(score.score(own), score)
