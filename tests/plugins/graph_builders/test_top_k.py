import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness
from harness_plugins.graph_builders.threshold import Threshold
from harness_plugins.graph_builders.top_k import TopK


@given(st.integers(2, 10), st.integers(1, 9), st.integers(0, 2**32), st.booleans())
def test_each_node_keeps_its_k_strongest_edges_and_ties(
    n: int, k: int, seed: int, ties: bool
) -> None:
    k = min(k, n - 1)
    random = np.random.default_rng(seed)
    weights = random.integers(0, 4, (n, n)) / 4 if ties else random.random((n, n))
    [graph] = TopK().build(harness.AttentionMap(weights), np.array([1 - k / (n - 1)]))
    for node in range(n):
        others = [other for other in range(n) if other != node]
        kth = sorted((weights[node, other] for other in others), reverse=True)[k - 1]
        expected = {o for o in others if weights[node, o] >= kth and weights[node, o] > 0}
        assert set(np.flatnonzero(graph.adjacency.toarray()[node])) == expected


def test_one_edge_a_node_is_left_however_close_to_one_the_level_is() -> None:
    weights = np.random.default_rng(0).random((6, 6))
    [graph] = TopK().build(harness.AttentionMap(weights), np.array([np.nextafter(1, 0)]))
    assert np.diff(graph.adjacency.indptr).tolist() == [1] * 6


@pytest.mark.parametrize("level", [0.0, 0.25, 0.5, 0.9])
def test_the_density_is_that_of_threshold_at_the_same_level(level: float) -> None:
    attention = harness.AttentionMap(np.random.default_rng(1).random((21, 21)))
    [ours], [other] = (
        builder.build(attention, np.array([level])) for builder in (TopK(), Threshold())
    )
    assert ours.density == pytest.approx(other.density)
