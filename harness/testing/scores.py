"""What scores keep to."""

import math
import time
from collections.abc import Mapping

import numpy as np

from harness.engine import checks
from harness.engine.score import scored
from harness.errors import reason_of
from harness.metrics.ties import difference
from harness.plugin.graph import Graph
from harness.plugin.score import LabelledGraph, Score
from harness.plugin.values import UNASSIGNED, AttentionMap, Integers
from harness.testing.inputs import planted_map
from harness.testing.law import BrokenLawError, law, require, seconds_since

FACTORS = (2.0**-10, 2.0**10, 1e-14, 1e5, 1e-300, 1e300)
SMALL: Mapping[str, tuple[tuple[int, int], float]] = {
    "of one node": ((1, 1), 0.0),
    "of two nodes without an edge": ((1, 2), 0.0),
    "of twenty nodes without an edge": ((4, 5), 0.0),
    "of two nodes": ((1, 2), 1.0),
    "that is complete, with equal weights": ((4, 5), 1.0),
}


def labelled_map(attention: AttentionMap | None = None, density: float = 0.3) -> LabelledGraph:
    """A planted map, pruned, with its true clusters, in which two nodes are unassigned."""
    whole = planted_map() if attention is None else attention
    assert whole.truth is not None
    labels = whole.truth.copy()
    labels[-2:] = UNASSIGNED
    threshold = float(np.quantile(whole.weights, 1 - density))
    graph = Graph.from_weights(whole.weights, threshold=threshold)
    return LabelledGraph(graph.at_safe_scale(), labels, whole)


def require_same(first: float, second: float, what: str) -> None:
    """Raise BrokenLawError unless two figures tie, or are both undefined."""
    undefined = math.isnan(first), math.isnan(second)
    is_same = all(undefined) or (not any(undefined) and difference(first, second) == 0)
    require(is_same, f"it is {first:.12g}, and {second:.12g} {what}")


@law(
    Score,
    advice="return a float in the range that the class declares, or NaN where it is undefined; "
    "copy arrays before you change them",
)
def clear_clusters_have_a_figure(score: Score) -> str:
    labelled = labelled_map()
    edges = checks.edges(labelled.graph)
    found = checks.figure(score.score(labelled), score)
    require(checks.has_edges(labelled.graph, edges), "score() changed the graph that it was given")
    return f"{found:.3f} where two clusters are planted"


@law(Score, advice="let nothing depend on random numbers, or on earlier calls")
def the_same_clusters_have_the_same_figure(score: Score) -> None:
    labelled = labelled_map()
    first = scored(score, labelled)
    scored(score, LabelledGraph(labelled.graph, np.zeros(30, dtype=int), labelled.attention))
    require_same(first, scored(score, labelled), "in another call")


@law(Score, advice="treat graphs without edges, and of few nodes, and undefined figures as NaN")
def every_partition_of_small_and_regular_graphs_has_a_figure(score: Score) -> None:
    for what, (grid, weight) in SMALL.items():
        n = grid[0] * grid[1]
        for labels in (np.full(n, UNASSIGNED), np.zeros(n, dtype=int), np.arange(n)):
            weights = np.full((n, n), weight)
            for shape in (grid, None):
                labelled = LabelledGraph.from_weights(weights, labels, grid=shape)
                try:
                    scored(score, labelled)
                except Exception as error:
                    where = f"a graph {what}, with {len(set(labels.tolist()))} labels"
                    raise BrokenLawError(f"{where}, fails: {reason_of(error)}") from error


@law(Score, advice="use labels to tell clusters apart, and not as numbers")
def names_of_clusters_change_nothing(score: Score) -> None:
    labelled = labelled_map()
    renamed = np.where(labelled.labels < 0, UNASSIGNED, 9 - 4 * labelled.labels)
    other = LabelledGraph(labelled.graph, renamed, labelled.attention)
    require_same(scored(score, labelled), scored(score, other), "with other names of clusters")


@law(Score, advice="let nothing depend on the order of nodes but where they lie on the grid")
def the_order_of_nodes_without_a_grid_changes_nothing(score: Score) -> None:
    labelled = labelled_map()
    n = labelled.graph.n
    orders = np.arange(n), np.random.default_rng(1).permutation(n)
    before, after = (scored(score, _reordered(labelled, order)) for order in orders)
    require_same(before, after, "with the nodes in another order")


def _reordered(labelled: LabelledGraph, order: Integers) -> LabelledGraph:
    """The same graph, without a grid, with its nodes in another order."""
    swapped = np.ix_(order, order)
    graph = Graph.from_weights(labelled.graph.adjacency.toarray()[swapped])
    attention = AttentionMap(labelled.attention.weights[swapped])
    return LabelledGraph(graph, labelled.labels[order], attention)


@law(Score, advice="divide by the total weight, or by what has the same unit")
def a_factor_of_all_weights_changes_no_figure(score: Score) -> None:
    whole = planted_map()
    before = scored(score, labelled_map(whole))
    for factor in FACTORS:
        multiplied = AttentionMap(whole.weights * factor, grid=whole.grid, truth=whole.truth)
        after = scored(score, labelled_map(multiplied))
        require_same(before, after, f"with all weights times {factor:.3g}")


@law(Score, advice="profile it: a run has hundreds of such graphs for every image")
def a_map_of_196_patches_is_scored_at_8_levels(score: Score) -> str:
    whole = planted_map((14, 14))
    labelled = [labelled_map(whole, density) for density in np.linspace(0.05, 1, 8)]
    started = time.perf_counter()
    for each in labelled:
        scored(score, each)
    return seconds_since(started)
