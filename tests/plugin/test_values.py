import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.plugin.values import AttentionMap, Graph, Image

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
def test_strengths_components_and_isolated_nodes_are_networkx_own(
    weights: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> None:
    graph = Graph.from_weights(weights)
    other = graph.to_networkx()

    assert graph.out_strength == pytest.approx([s for _, s in other.out_degree(weight="weight")])
    assert graph.in_strength == pytest.approx([s for _, s in other.in_degree(weight="weight")])
    sizes = [len(part) for part in networkx.weakly_connected_components(other)]
    assert graph.largest_component_fraction == max(sizes) / graph.n
    assert set(np.flatnonzero(graph.isolated)) == set(networkx.isolates(other))


@given(WEIGHTS)
def test_the_symmetric_view_has_an_edge_where_either_direction_has_one(
    weights: np.ndarray[tuple[int, int], np.dtype[np.float64]],
) -> None:
    either = (weights > 0) | (weights.T > 0)
    np.fill_diagonal(either, False)

    assert (Graph.from_weights(weights).symmetric_binary().toarray() == either).all()


def test_self_loops_are_kept_on_demand_and_do_not_link_a_node_to_others() -> None:
    graph = Graph.from_weights(np.eye(3), self_loops=True)

    assert graph.edges == 3
    assert graph.isolated.all()
    assert graph.symmetric_binary().nnz == 0


def test_a_graph_cannot_be_changed_in_place() -> None:
    graph = Graph.from_weights(np.ones((3, 3)))

    with pytest.raises(ValueError, match="read-only"):
        graph.adjacency.data[0] = 2.0


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones((2, 3)), r"must be \(n, n\), not \(2, 3\)"),
        (np.array([[0.0, np.nan], [0.0, 0.0]]), r"\[0, 1\] is nan"),
        (np.array([[0.0, 0.0], [-0.5, 0.0]]), r"\[1, 0\] is -0.5"),
        (np.ones((2, 2), dtype=int), "must be floating point, not int64"),
    ],
)
def test_weights_that_are_no_attention_map_are_refused_by_position(
    weights: np.ndarray[tuple[int, int], np.dtype[np.float64]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        AttentionMap(weights)


def test_a_region_is_of_a_grid() -> None:
    region = (0.5, 1.0, 10.0, 20.0)

    assert AttentionMap(np.ones((4, 4)), grid=(2, 2), region=region).region == region
    with pytest.raises(ValueError, match="there is no grid"):
        AttentionMap(np.ones((4, 4)), region=region)


def test_a_region_without_extent_is_refused() -> None:
    with pytest.raises(ValueError, match="a region must be finite, its height and width more"):
        AttentionMap(np.ones((4, 4)), grid=(2, 2), region=(0.0, 0.0, 0.0, 4.0))


def test_a_grid_that_does_not_hold_the_patches_is_refused() -> None:
    with pytest.raises(ValueError, match="a grid of 2×3 does not hold 4 nodes"):
        AttentionMap(np.ones((4, 4)), grid=(2, 3))


def test_equal_pixels_have_equal_digests_whatever_their_key() -> None:
    pixels = np.zeros((2, 3, 1), dtype=np.uint8)

    assert Image("a", pixels).digest == Image("b", pixels.copy()).digest
    assert Image("a", pixels).digest != Image("a", pixels.reshape(3, 2, 1)).digest
