"""What graph builders keep to."""

import time
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.engine import checks
from harness.errors import HarnessError, InvalidResultError, reason_of
from harness.plugin.base import GraphBuilder
from harness.plugin.graph import Graph
from harness.plugin.values import AttentionMap, Floats
from harness.testing.inputs import planted_map
from harness.testing.law import BrokenLawError, law, require, seconds_since

COUNT = 8


def levels_of(builder: GraphBuilder, attention: AttentionMap, count: int = COUNT) -> Floats:
    """The valid levels of a map; raises InvalidResultError for others."""
    return checks.levels(builder.levels(attention, count), count)


def graphs_of(builder: GraphBuilder, attention: AttentionMap) -> list[Graph]:
    """The valid graphs of a map; raises InvalidResultError for others."""
    levels = levels_of(builder, attention)
    return list(checks.graphs(builder.build(attention, levels), levels, attention.n))


def without_grid(attention: AttentionMap, weights: NDArray[Any]) -> AttentionMap:
    """The map with other weights, on no grid."""
    return replace(attention, weights=weights, grid=None, truth=None, region=None)


@law(
    GraphBuilder,
    advice="let levels return `count` increasing numbers, and build yield a graph of all patches "
    "for each, as in harness.Graph.from_weights(weights, level=level)",
)
def every_level_gets_a_graph(builder: GraphBuilder) -> None:
    for graph in graphs_of(builder, planted_map()):
        weights = graph.adjacency.data
        is_positive = np.isfinite(weights).all() and (weights > 0).all()
        require(is_positive, f"level {graph.level:g} has an edge whose weight is not positive")


@law(GraphBuilder, advice="return `count` increasing numbers, whatever the count")
def levels_are_as_many_as_asked_for(builder: GraphBuilder) -> None:
    for count in (1, 2, 33):
        levels_of(builder, planted_map(), count)


@law(
    GraphBuilder,
    advice="compute them from the number of patches alone: a map and its controls are compared "
    "level by level",
)
def levels_do_not_depend_on_weights(builder: GraphBuilder) -> None:
    first, second = (levels_of(builder, planted_map(seed=seed)) for seed in (0, 1))
    require(np.array_equal(first, second), "two maps of one size have different levels")


@law(GraphBuilder, advice="drop edges as the level rises; leave the others")
def graphs_get_no_denser_as_the_level_rises(builder: GraphBuilder) -> None:
    for denser, sparser in pairwise(graphs_of(builder, planted_map())):
        require(
            sparser.edges <= denser.edges,
            f"{denser.edges} edges at level {denser.level:.3g} and {sparser.edges} at the next",
        )


@law(GraphBuilder, advice="use no random numbers, and keep nothing from one call to the next")
def the_same_map_gives_the_same_graphs(builder: GraphBuilder) -> None:
    for first, second in zip(*(graphs_of(builder, planted_map()) for _ in range(2)), strict=True):
        is_same = checks.has_edges(first, checks.edges(second))
        require(is_same, f"the graphs of two calls differ at level {first.level:.3g}")


@law(GraphBuilder, advice="copy the weights before you change them")
def the_map_is_not_changed(builder: GraphBuilder) -> None:
    attention = planted_map()
    graphs_of(builder, attention)
    require(attention.digest == planted_map().digest, "build() changed the weights of its map")


@law(GraphBuilder, advice="let nothing depend on the order of patches, such as ties of weights")
def graphs_follow_the_patches_when_they_are_reordered(builder: GraphBuilder) -> str:
    attention = planted_map()
    order = np.random.default_rng(1).permutation(attention.n)
    both = attention.weights, attention.weights[np.ix_(order, order)]
    try:
        found = [graphs_of(builder, without_grid(attention, weights)) for weights in both]
    except InvalidResultError:
        raise
    except HarnessError as error:
        return f"it does not apply: {error}"
    for first, second in zip(*found, strict=True):
        edges = first.adjacency.toarray()[np.ix_(order, order)]
        is_same = np.allclose(edges, second.adjacency.toarray(), rtol=1e-9, atol=0)
        require(is_same, f"the graphs differ at level {first.level:.3g}")
    return ""


@law(GraphBuilder, advice="treat maps without weights, and of few patches, by themselves")
def small_and_regular_maps_have_graphs(builder: GraphBuilder) -> None:
    small = {"one patch": 1, "two patches": 2, "nine patches": 9}
    for what, n in small.items():
        for kind, weight in (("equal weights", 1 / n), ("no weights", 0.0)):
            try:
                graphs_of(builder, AttentionMap(np.full((n, n), weight), grid=(1, n)))
            except Exception as error:
                line = f"a map of {what} with {kind} fails: {reason_of(error)}"
                raise BrokenLawError(line) from error


@law(GraphBuilder, advice="profile it: every map is built anew for every cell")
def a_map_of_196_patches_has_32_graphs(builder: GraphBuilder) -> str:
    attention = planted_map((14, 14))
    levels = levels_of(builder, attention, 32)
    started = time.perf_counter()
    list(checks.graphs(builder.build(attention, levels), levels, attention.n))
    return seconds_since(started)
