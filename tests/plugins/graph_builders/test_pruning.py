"""What every builder whose levels are fractions keeps to."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import harness
from harness_plugins.graph_builders.disparity import Disparity
from harness_plugins.graph_builders.mutual import Mutual
from harness_plugins.graph_builders.pruning import FEW_VALUES, FractionSweep, at_places
from harness_plugins.graph_builders.symmetrised import Symmetrised
from harness_plugins.graph_builders.top_k import TopK

every_builder = pytest.mark.parametrize(
    "builder",
    [TopK(), Mutual(), Disparity(), Disparity(axis="significance")],
    ids=["top-k", "mutual", "disparity", "significance"],
)
LEVELS = np.array([0.0, 0.2, 0.5, 0.8, 0.95])


@st.composite
def weights(draw: st.DrawFn) -> NDArray[np.float64]:
    """Weights (n, n), many of them zero or equal to another."""
    n = draw(st.integers(1, 10))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    if draw(st.booleans()):
        return random.random((n, n))
    return random.integers(0, draw(st.integers(1, 6)), (n, n)) / 7


def pruned(builder: FractionSweep, dense: NDArray[Any]) -> list[NDArray[Any]]:
    graphs = builder.build(harness.AttentionMap(dense), LEVELS)
    return [graph.adjacency.toarray() for graph in graphs]


@every_builder
@settings(max_examples=40)
@given(dense=weights())
def test_graphs_are_nested_and_keep_their_weights(
    builder: FractionSweep, dense: NDArray[Any]
) -> None:
    unpruned = dense * ~np.eye(len(dense), dtype=bool)
    for denser, sparser in pairwise([unpruned, *pruned(builder, dense)]):
        kept = sparser > 0
        assert (sparser[kept] == denser[kept]).all()


@every_builder
@settings(max_examples=40)
@given(dense=weights(), seed=st.integers(0, 100))
def test_graphs_follow_the_nodes_when_they_are_reordered(
    builder: FractionSweep, dense: NDArray[Any], seed: int
) -> None:
    order = np.random.default_rng(seed).permutation(len(dense))
    again = pruned(builder, dense[np.ix_(order, order)])
    for graph, shuffled in zip(pruned(builder, dense), again, strict=True):
        assert (graph[np.ix_(order, order)] == shuffled).all()


@every_builder
@settings(max_examples=40)
@given(dense=weights())
def test_the_threshold_is_the_smallest_weight(builder: FractionSweep, dense: NDArray[Any]) -> None:
    for graph in builder.build(harness.AttentionMap(dense), LEVELS):
        assert graph.threshold == min(graph.adjacency.data, default=0.0)
        assert not graph.self_loops


@every_builder
@pytest.mark.parametrize("dense", [np.zeros((5, 5)), np.ones((1, 1)), np.eye(4)])
def test_a_map_without_edges_gives_graphs_without_edges(
    builder: FractionSweep, dense: NDArray[Any]
) -> None:
    graphs = list(builder.build(harness.AttentionMap(dense), LEVELS))
    assert [graph.edges for graph in graphs] == [0] * len(LEVELS)
    assert [graph.n for graph in graphs] == [len(dense)] * len(LEVELS)


@every_builder
def test_levels_run_from_start_to_stop_on_any_map(builder: FractionSweep) -> None:
    levels = builder.levels(harness.AttentionMap(np.eye(20)), 50)
    assert levels == pytest.approx(np.linspace(builder.start, builder.stop, 50))


@every_builder
def test_bad_levels_are_refused_with_the_name_of_the_builder(builder: FractionSweep) -> None:
    attention = harness.AttentionMap(np.ones((4, 4)))
    with pytest.raises(harness.HarnessError, match=f"{builder.name}: levels must increase"):
        builder.build(attention, np.array([0.5, 0.2]))
    with pytest.raises(harness.HarnessError, match=f"{builder.name}: each level must be at least"):
        builder.build(attention, np.array([0.5, 1.0]))
    with pytest.raises(harness.HarnessError, match=f"{builder.name}: count must be at least 1"):
        builder.levels(attention, 0)


@pytest.mark.parametrize("kind", [TopK, Mutual, Disparity, Symmetrised])
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"start": -0.1}, "start must be at least 0"),
        ({"stop": 1.0}, "stop must be at least 0 and below 1"),
        ({"start": 0.99}, "start must be below stop, not 0.99 and 0.9"),
    ],
)
def test_bad_ranges_are_refused(
    kind: type[FractionSweep], parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(harness.HarnessError, match=f"{kind.name}: {message}"):
        kind(**parameters)


@pytest.mark.parametrize("kind", [Mutual, Disparity])
def test_a_level_leaves_the_fraction_of_pairs_that_it_names(kind: type[FractionSweep]) -> None:
    random = np.random.default_rng(3).random((40, 40))
    # Of a symmetric map every edge is returned.
    attention = harness.AttentionMap(random + random.T)
    graphs = kind().build(attention, LEVELS)
    # Two edges of a pair tie, and so do all pairs that a greater k adds, one a node at most.
    ties = 2 * 40 if kind is Mutual else 2
    for level, graph in zip(LEVELS, graphs, strict=True):
        assert -1e-9 < graph.density - (1 - level) <= ties / (40 * 39)


@every_builder
@pytest.mark.parametrize("factor", [2.0**-1000, 2.0**1000])
@settings(max_examples=20)
@given(dense=weights())
def test_a_multiple_of_a_map_keeps_the_same_edges(
    builder: FractionSweep, factor: float, dense: NDArray[Any]
) -> None:
    both = zip(pruned(builder, dense), pruned(builder, dense * factor), strict=True)
    assert all(np.array_equal(graph * factor, multiplied) for graph, multiplied in both)


@pytest.mark.parametrize("count", [1, FEW_VALUES - 1, FEW_VALUES, 3 * FEW_VALUES])
@pytest.mark.parametrize("kind", ["weights", "of either sign", "ties", "far apart", "equal"])
def test_values_at_places_are_those_of_the_sorted_values(kind: str, count: int) -> None:
    random = np.random.default_rng(count)
    values = {
        "weights": random.dirichlet(np.ones(count)),
        "of either sign": random.normal(size=count),
        "ties": random.integers(-3, 4, count).astype(np.float64),
        "far apart": random.choice([-np.inf, -1e300, 0.0, 5e-324, 1e-9, 1.0, np.inf], count),
        "equal": np.full(count, 0.25),
    }[kind]
    places = random.integers(0, count, 40)

    assert (at_places(values, places) == np.sort(values)[places]).all()
