import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness
from harness_plugins.graph_builders.disparity import Disparity


def p_values(weights: np.ndarray) -> np.ndarray:
    """The formula of the paper, edge by edge; 1 where there is no edge."""
    n = len(weights)
    p = np.ones((n, n))
    for i, j in np.ndindex(n, n):
        if i == j or not weights[i, j]:
            continue
        sent = [weights[i, other] for other in range(n) if other != i and weights[i, other]]
        received = [weights[other, j] for other in range(n) if other != j and weights[other, j]]
        p[i, j] = min(
            (1 - weights[i, j] / sum(edges)) ** (len(edges) - 1) if len(edges) > 1 else 1.0
            for edges in (sent, received)
        )
    return p


def random_weights(n: int, seed: int, sparse: bool) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.random((n, n)) * (random.random((n, n)) < (0.3 if sparse else 1.0))


@given(st.integers(2, 10), st.integers(0, 2**32), st.booleans(), st.floats(0.01, 0.95))
def test_edges_below_alpha_stay_on_the_axis_of_significance(
    n: int, seed: int, sparse: bool, level: float
) -> None:
    weights = random_weights(n, seed, sparse)
    [graph] = Disparity(axis="significance").build(harness.AttentionMap(weights), np.array([level]))
    p = p_values(weights)
    kept = graph.adjacency.toarray() > 0
    assert (p[kept] < 1 - level + 1e-9).all()
    assert (p[~kept] > 1 - level - 1e-9).all()


@given(st.integers(3, 10), st.integers(0, 2**32), st.floats(0, 0.95))
def test_the_least_significant_pairs_go_first_on_the_axis_of_density(
    n: int, seed: int, level: float
) -> None:
    weights = random_weights(n, seed, sparse=False)
    [graph] = Disparity().build(harness.AttentionMap(weights), np.array([level]))
    pairs = n * (n - 1)
    kept = graph.adjacency.toarray() > 0
    dropped = ~kept & ~np.eye(n, dtype=bool)
    p = p_values(weights)
    assert dropped.sum() <= level * pairs + 1e-6
    assert p[kept].max() <= p[dropped].min(initial=1.0) + 1e-9


@pytest.mark.parametrize(("level", "kept"), [(0.4, [0, 1, 2]), (0.5, [0]), (0.8, [])])
def test_a_nodes_only_edge_is_judged_by_its_other_end(level: float, kept: list[int]) -> None:
    # Node 3 receives from nodes that send nothing else: p = (1 − w)² is .25 and twice .5625.
    weights = np.zeros((4, 4))
    weights[:3, 3] = [0.5, 0.25, 0.25]
    [graph] = Disparity(axis="significance").build(harness.AttentionMap(weights), np.array([level]))
    assert graph.rows.tolist() == kept


def test_an_edge_between_nodes_that_have_no_other_is_never_significant() -> None:
    weights = np.zeros((3, 3))
    weights[0, 1] = 1.0
    [graph] = Disparity(axis="significance").build(harness.AttentionMap(weights), np.array([0.0]))
    assert graph.edges == 0


def test_extreme_weights_are_ranked_by_their_significance() -> None:
    # (1 − w/s)^(k − 1) is below the smallest double for both.
    weights = np.full((400, 400), 1e-6)
    weights[0, 1], weights[2, 3] = 1.0, 2.0
    [graph] = Disparity().build(
        harness.AttentionMap(weights), np.array([1 - 1 / (400 * 399) - 1e-12])
    )
    assert list(zip(graph.rows, graph.adjacency.indices, strict=True)) == [(2, 3)]


def test_an_unknown_axis_is_refused() -> None:
    with pytest.raises(harness.HarnessError, match="axis: expected density or significance"):
        Disparity(axis="alpha")  # type: ignore[arg-type]
