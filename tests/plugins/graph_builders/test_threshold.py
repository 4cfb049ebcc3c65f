from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import harness
from harness_plugins.graph_builders.threshold import Threshold


@st.composite
def maps(draw: st.DrawFn) -> harness.AttentionMap:
    """Weights (n, n) of either precision, many of them zero or equal to another."""
    n = draw(st.integers(2, 12))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    if draw(st.booleans()):
        weights = random.random((n, n))
    else:
        weights = random.integers(0, draw(st.integers(1, 6)), (n, n)) / 7
    kind = draw(st.sampled_from([np.float16, np.float32, np.float64]))
    return harness.AttentionMap(weights.astype(kind))


def random_map(n: int = 20, kind: type[np.floating[Any]] = np.float64) -> harness.AttentionMap:
    weights = np.random.default_rng(n).random((n, n))
    return harness.AttentionMap((weights / weights.sum(axis=1, keepdims=True)).astype(kind))


def pairs_by_weight(weights: NDArray[Any], self_loops: bool) -> list[float]:
    n = len(weights)
    return sorted(float(weights[i, j]) for i in range(n) for j in range(n) if self_loops or i != j)


def dense_reference(weights: NDArray[Any], threshold: float, self_loops: bool) -> NDArray[Any]:
    """The pruned matrix, entry by entry."""
    pruned = np.zeros(weights.shape)
    for i, j in np.ndindex(*weights.shape):
        weight = float(weights[i, j])
        if weight > 0 and weight >= threshold and (self_loops or i != j):
            pruned[i, j] = weight
    return pruned


@settings(max_examples=80)
@given(maps(), st.booleans(), st.integers(1, 9))
def test_density_levels_drop_the_weakest_pairs_and_keep_ties(
    attention: harness.AttentionMap, self_loops: bool, count: int
) -> None:
    builder = Threshold(self_loops=self_loops)
    levels = builder.levels(attention, count)
    pairs = pairs_by_weight(attention.weights, self_loops)
    for level, graph in zip(levels, builder.build(attention, levels), strict=True):
        threshold = pairs[min(int(level * len(pairs) + 1e-6), len(pairs) - 1)]
        assert graph.threshold == threshold
        assert graph.level == level
        assert graph.self_loops == self_loops
        expected = dense_reference(attention.weights, threshold, self_loops)
        assert (graph.adjacency.toarray() == expected).all()


@settings(max_examples=80)
@given(maps(), st.booleans(), st.integers(1, 9))
def test_absolute_levels_are_the_smallest_weight_that_stays(
    attention: harness.AttentionMap, self_loops: bool, count: int
) -> None:
    builder = Threshold(axis="absolute", self_loops=self_loops)
    levels = builder.levels(attention, count)
    for level, graph in zip(levels, builder.build(attention, levels), strict=True):
        assert graph.threshold == graph.level == level
        expected = dense_reference(attention.weights, level, self_loops)
        assert (graph.adjacency.toarray() == expected).all()


@given(maps(), st.booleans(), st.sampled_from(["density", "absolute"]))
def test_graphs_are_what_their_recorded_threshold_says(
    attention: harness.AttentionMap, self_loops: bool, axis: Any
) -> None:
    builder = Threshold(axis=axis, self_loops=self_loops)
    for graph in builder.build(attention, builder.levels(attention, 7)):
        again = harness.Graph.from_weights(
            attention.weights, threshold=graph.threshold, self_loops=self_loops
        )
        assert (graph.adjacency.toarray() == again.adjacency.toarray()).all()


@given(maps(), st.sampled_from(["density", "absolute"]))
def test_densities_never_rise_and_graphs_are_nested(
    attention: harness.AttentionMap, axis: Any
) -> None:
    builder = Threshold(axis=axis)
    graphs = list(builder.build(attention, builder.levels(attention, 9)))
    for denser, sparser in pairwise(graphs):
        assert sparser.density <= denser.density
        kept = sparser.adjacency.toarray() > 0
        assert (denser.adjacency.toarray()[kept] > 0).all()


def test_graphs_are_sorted_csr_of_doubles_that_cannot_be_written_to() -> None:
    attention = random_map(kind=np.float32)
    for graph in Threshold().build(attention, np.array([0.0, 0.5, 0.9])):
        adjacency = graph.adjacency
        assert adjacency.data.dtype == np.float64
        assert adjacency.indices.dtype == adjacency.indptr.dtype == np.int32
        for row in range(graph.n):
            columns = adjacency.indices[adjacency.indptr[row] : adjacency.indptr[row + 1]]
            assert (np.diff(columns) > 0).all()
        with pytest.raises(ValueError, match="read-only"):
            adjacency.data[0] = 1.0


def test_without_ties_the_density_is_exactly_what_the_level_leaves() -> None:
    attention = random_map(26)  # 650 pairs, of which 0.98 is 637
    [graph] = Threshold().build(attention, np.array([0.98]))
    assert graph.edges == 13
    assert graph.density == pytest.approx(0.02)


@pytest.mark.parametrize("percent", range(100))
def test_rounding_errors_of_a_fraction_cost_no_edge(percent: int) -> None:
    [graph] = Threshold(self_loops=True).build(random_map(10), np.array([percent / 100]))
    assert graph.edges == 100 - percent


@pytest.mark.parametrize("n", [7, 49, 196])
def test_a_fraction_between_two_pairs_is_rounded_down(n: int) -> None:
    levels = np.linspace(0, 0.98, 32)
    pairs = n * (n - 1)
    for level, graph in zip(levels, Threshold().build(random_map(n), levels), strict=True):
        assert 0 <= graph.density - (1 - level) < 1 / pairs + 1e-9


def test_one_pair_is_left_however_close_to_one_the_level_is() -> None:
    [graph] = Threshold().build(random_map(4), np.array([np.nextafter(1, 0)]))
    assert graph.edges == 1


def test_levels_that_drop_zeros_alone_leave_all_edges() -> None:
    weights = random_map(10).weights.copy()
    weights[:, :6] = 0
    attention = harness.AttentionMap(weights)
    edges = [graph.edges for graph in Threshold().build(attention, np.array([0.0, 0.3, 0.5]))]
    assert edges == [36, 36, 36]


def test_a_map_of_equal_weights_is_never_pruned() -> None:
    attention = harness.AttentionMap(np.full((6, 6), 1 / 6, dtype=np.float32))
    assert [graph.edges for graph in Threshold().build(attention, np.array([0.0, 0.9]))] == [30, 30]


@pytest.mark.parametrize("weights", [np.zeros((5, 5)), np.ones((1, 1))])
@pytest.mark.parametrize("axis", ["density", "absolute"])
def test_a_map_without_edges_gives_graphs_without_edges(weights: Any, axis: Any) -> None:
    attention = harness.AttentionMap(weights)
    graphs = list(Threshold(axis=axis).build(attention, np.array([0.0, 0.5])))
    assert [graph.edges for graph in graphs] == [0, 0]
    assert [graph.n for graph in graphs] == [len(weights)] * 2


def test_a_bare_array_and_a_map_give_the_same_graphs() -> None:
    attention = random_map()
    levels = np.array([0.2, 0.7])
    from_array = Threshold().build(attention.weights, levels)  # type: ignore[arg-type]
    from_map = Threshold().build(attention, levels)
    for first, second in zip(from_array, from_map, strict=True):
        assert (first.adjacency.toarray() == second.adjacency.toarray()).all()


def test_default_density_levels_run_from_0_to_98_percent() -> None:
    levels = Threshold().levels(random_map(), 50)
    assert levels == pytest.approx(np.arange(50) * 0.02)


def test_default_absolute_levels_end_at_four_times_the_uniform_weight() -> None:
    levels = Threshold(axis="absolute").levels(random_map(20), 5)
    assert levels == pytest.approx([0.0, 0.05, 0.1, 0.15, 0.2])


@pytest.mark.parametrize("axis", ["density", "absolute"])
def test_levels_depend_on_no_weight(axis: Any) -> None:
    builder = Threshold(axis=axis)
    maps = (random_map(20), harness.AttentionMap(np.eye(20)))
    first, second = (builder.levels(attention, 9) for attention in maps)
    assert (first == second).all()
    assert (np.diff(first) > 0).all()


def test_a_single_level_is_the_start() -> None:
    assert Threshold(start=0.3).levels(random_map(), 1).tolist() == [0.3]


def test_a_count_below_one_is_refused() -> None:
    with pytest.raises(harness.HarnessError, match="count must be at least 1"):
        Threshold().levels(random_map(), 0)


def test_a_start_beyond_the_default_stop_of_a_map_is_refused() -> None:
    builder = Threshold(axis="absolute", start=0.2)
    with pytest.raises(harness.HarnessError, match="start must be below stop"):
        builder.levels(random_map(20), 5)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"axis": "quantile"}, "density or absolute"),
        ({"start": -0.1}, "start must be at least 0"),
        ({"start": float("nan")}, "start must be at least 0"),
        ({"stop": 1.0}, "stop must be at least 0 and below 1"),
        ({"start": 0.5, "stop": 0.5}, "start must be below stop"),
        ({"start": 0.99}, "start must be below stop, not 0.99 and 0.98"),
        ({"axis": "absolute", "stop": float("inf")}, "and finite"),
        ({"axis": "absolute", "start": 2.0, "stop": 1.0}, "start must be below stop"),
    ],
)
def test_bad_parameters_are_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(harness.HarnessError, match=message):
        Threshold(**parameters)


@pytest.mark.parametrize(
    ("levels", "message"),
    [
        ([0.5, 0.2], "levels must increase"),
        ([0.2, 0.2], "levels must increase"),
        ([0.2, 1.0], "each level must be at least 0 and below 1"),
        ([0.2, float("nan")], "each level must be at least 0 and below 1"),
    ],
)
def test_levels_off_the_axis_or_out_of_order_are_refused(levels: list[float], message: str) -> None:
    with pytest.raises(harness.HarnessError, match=message):
        Threshold().build(random_map(), np.array(levels))
