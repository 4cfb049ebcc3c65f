import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import harness
from harness_plugins.graph_builders.mutual import Mutual


def mutual_at(weights: np.ndarray, k: int) -> np.ndarray:
    """Which edges are among the k strongest of both ends, ties kept, edge by edge."""
    n = len(weights)

    def chosen(node: int, other: int) -> bool:
        stronger = sum(
            weights[node, third] > weights[node, other] for third in range(n) if third != node
        )
        return bool(node != other and weights[node, other] > 0 and stronger < k)

    return np.array([[chosen(i, j) and chosen(j, i) for j in range(n)] for i in range(n)])


@given(st.integers(2, 9), st.floats(0, 0.99), st.integers(0, 2**32), st.booleans())
def test_a_level_has_the_smallest_k_that_leaves_the_fraction_of_pairs(
    n: int, level: float, seed: int, ties: bool
) -> None:
    random = np.random.default_rng(seed)
    weights = random.integers(0, 4, (n, n)) / 4 if ties else random.random((n, n))
    [graph] = Mutual().build(harness.AttentionMap(weights), np.array([level]))
    pairs = n * (n - 1)
    kept = pairs - min(int(round(level * pairs, 6)), pairs - 1)
    candidates = [mutual_at(weights, k) for k in range(1, n)]
    enough = [edges for edges in candidates if edges.sum() >= kept]
    expected = enough[0] if enough else candidates[-1]
    assert (graph.adjacency.toarray() == weights * expected).all()


def test_directed_weights_are_preserved() -> None:
    weights = np.array([[0.0, 0.9, 0.1], [0.4, 0.0, 0.0], [0.3, 0.2, 0.0]])
    [graph] = Mutual().build(harness.AttentionMap(weights), np.array([0.0]))
    assert graph.adjacency.toarray().tolist() == [[0, 0.9, 0.1], [0.4, 0, 0], [0.3, 0, 0]]


def test_an_edge_that_is_not_returned_is_in_no_graph() -> None:
    star = np.zeros((5, 5))
    star[1:, 0] = 1.0
    [graph] = Mutual().build(harness.AttentionMap(star), np.array([0.0]))
    assert graph.edges == 0
