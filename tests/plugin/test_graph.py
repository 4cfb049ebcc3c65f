import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.plugin.graph import Graph

WEIGHTS = st.integers(1, 8).flatmap(
    lambda n: arrays(np.float64, (n, n), elements=st.sampled_from([0.0, 0.1, 0.5, 1.0]))
)


@given(WEIGHTS)
def test_a_graph_holds_exactly_the_positive_off_diagonal_weights(
    weights: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> None:
    expected = weights.copy()
    np.fill_diagonal(expected, 0.0)

    assert (Graph.from_weights(weights).adjacency.toarray() == expected).all()


@given(WEIGHTS)
def test_strengths_components_and_isolated_nodes_are_those_of_networkx(
    weights: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> None:
    graph = Graph.from_weights(weights)
    other = graph.to_networkx()

    assert graph.out_strength == pytest.approx([s for _, s in other.out_degree(weight="weight")])
    assert graph.in_strength == pytest.approx([s for _, s in other.in_degree(weight="weight")])
    sizes = [len(part) for part in networkx.weakly_connected_components(other)]
    assert graph.largest_component_fraction == max(sizes) / graph.n
    assert set(np.flatnonzero(graph.isolated)) == set(networkx.isolates(other))


@pytest.mark.parametrize("density", [0.005, 0.01, 0.02, 0.3])
def test_components_of_a_large_graph_are_those_of_networkx(density: float) -> None:
    graph = Graph.from_weights(np.random.default_rng(0).random((150, 150)) < density)
    parts = networkx.weakly_connected_components(graph.to_networkx())
    expected = np.empty(graph.n, dtype=int)
    for number, nodes in enumerate(sorted(parts, key=min)):
        expected[list(nodes)] = number

    assert graph.components.tolist() == expected.tolist()
    assert graph.largest_component_fraction == np.bincount(expected).max() / graph.n


@given(WEIGHTS)
def test_a_graph_that_keeps_the_heavier_edges_is_that_of_the_threshold(
    weights: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> None:
    whole = Graph.from_weights(weights)
    kept = whole.keeping(np.flatnonzero(whole.adjacency.data >= 0.5), level=0.3)
    expected = Graph.from_weights(weights, threshold=0.5)

    assert (kept.adjacency.toarray() == expected.adjacency.toarray()).all()
    assert kept.threshold == expected.adjacency.data.min(initial=1.0) * bool(expected.edges)
    assert kept.level == 0.3


@given(WEIGHTS)
def test_the_symmetric_view_has_an_edge_where_either_direction_has_one(
    weights: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> None:
    either = (weights > 0) | (weights.T > 0)
    np.fill_diagonal(either, False)

    assert (Graph.from_weights(weights).symmetric_binary().toarray() == either).all()


def test_self_loops_are_optional_and_leave_their_nodes_isolated() -> None:
    graph = Graph.from_weights(np.eye(3), self_loops=True)

    assert graph.edges == 3
    assert graph.isolated.all()
    assert graph.symmetric_binary().nnz == 0


@pytest.mark.parametrize("weight", [np.nan, np.inf, 1e308])
def test_weights_without_a_finite_sum_are_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="the weights' sum must be finite"):
        Graph.from_weights([[0.0, weight], [weight, 0.0]])


def test_a_graph_at_a_usual_scale_is_left_as_it_is() -> None:
    for weight in (0.001, 1.0, 1000.0):
        graph = Graph.from_weights([[0.0, weight], [1e-9, 0.0]])
        assert graph.at_safe_scale() is graph


@given(WEIGHTS, st.integers(-1040, 1000))
def test_a_safe_scale_is_a_power_of_two_and_keeps_every_edge(
    weights: np.ndarray[tuple[int, int], np.dtype[np.float64]], exponent: int
) -> None:
    weights = (weights > 0) * np.ldexp(1.0, np.arange(len(weights))[:, None])
    graph = Graph.from_weights(np.ldexp(weights, exponent))
    safe = graph.at_safe_scale()

    assert safe.edges == graph.edges
    if graph.edges:
        assert 2**-17 <= safe.adjacency.data.max() < 2**16
        ratios = np.frexp(safe.adjacency.data)[1] - np.frexp(graph.adjacency.data)[1]
        assert len(set(ratios.tolist())) == 1


def test_an_edge_that_is_nothing_beside_the_largest_stays_an_edge() -> None:
    graph = Graph.from_weights([[0.0, 1e300], [1e-300, 0.0]])

    assert (graph.at_safe_scale().adjacency.data > 0).all()


def test_a_graph_cannot_be_changed_in_place() -> None:
    graph = Graph.from_weights(np.ones((3, 3)))

    with pytest.raises(ValueError, match="read-only"):
        graph.adjacency.data[0] = 2.0
