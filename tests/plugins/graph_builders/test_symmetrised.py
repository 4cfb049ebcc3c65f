import itertools
from typing import Any

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import harness
from harness_plugins.graph_builders.symmetrised import Symmetrised

RULES = ("sum", "coupling", "degree-discounted")
every_rule = pytest.mark.parametrize("rule", RULES)
LEVELS = np.array([0.0, 0.3, 0.6, 0.9])


def weights_of(n: int, seed: int, *, ties: bool = False) -> NDArray[Any]:
    """Weights (n, n); with ties many are zero or equal to another."""
    random = np.random.default_rng(seed)
    return random.integers(0, 4, (n, n)) / 7 if ties else random.random((n, n))


def built(weights: NDArray[Any], rule: str, levels: NDArray[Any] = LEVELS) -> list[NDArray[Any]]:
    graphs = Symmetrised(by=rule).build(harness.AttentionMap(weights), levels)  # type: ignore[arg-type]
    return [graph.adjacency.toarray() for graph in graphs]


def expected(weights: NDArray[Any], rule: str) -> NDArray[Any]:
    """The formulas of the paper, pair by pair; 0 on the diagonal."""
    n = len(weights)
    a = weights * ~np.eye(n, dtype=bool)
    if rule == "sum":
        return np.asarray(a + a.T)
    is_discounted = rule == "degree-discounted"
    sent, received = (a.sum(axis=axis) if is_discounted else np.ones(n) for axis in (1, 0))
    result = np.zeros((n, n))
    for i, j in itertools.permutations(range(n), 2):
        for k in range(n):
            if a[i, k] * a[j, k]:
                result[i, j] += a[i, k] * a[j, k] / np.sqrt(sent[i] * received[k] * sent[j])
            if a[k, i] * a[k, j]:
                result[i, j] += a[k, i] * a[k, j] / np.sqrt(received[i] * sent[k] * received[j])
    return result


@every_rule
@settings(max_examples=25)
@given(n=st.integers(1, 8), seed=st.integers(0, 2**32), ties=st.booleans())
def test_weights_are_those_of_the_paper(rule: str, n: int, seed: int, ties: bool) -> None:
    weights = weights_of(n, seed, ties=ties)
    [unpruned] = built(weights, rule, np.array([0.0]))
    assert unpruned == pytest.approx(expected(weights, rule))


@every_rule
@settings(max_examples=25)
@given(n=st.integers(1, 10), seed=st.integers(0, 2**32), ties=st.booleans())
def test_graphs_are_undirected_and_nested(rule: str, n: int, seed: int, ties: bool) -> None:
    graphs = built(weights_of(n, seed, ties=ties), rule)
    assert all((graph == graph.T).all() for graph in graphs)
    for denser, sparser in itertools.pairwise(graphs):
        kept = sparser > 0
        assert (sparser[kept] == denser[kept]).all()
        assert not denser[~kept & (denser > 0)].max(initial=0) > sparser[kept].min(initial=np.inf)


@every_rule
@settings(max_examples=25)
@given(n=st.integers(1, 10), seed=st.integers(0, 2**32), ties=st.booleans())
def test_graphs_follow_the_nodes_when_they_are_reordered(
    rule: str, n: int, seed: int, ties: bool
) -> None:
    weights = weights_of(n, seed, ties=ties)
    order = np.random.default_rng(seed).permutation(n)
    again = built(weights[np.ix_(order, order)], rule)
    for graph, shuffled in zip(built(weights, rule), again, strict=True):
        assert shuffled == pytest.approx(graph[np.ix_(order, order)])


@every_rule
def test_a_level_drops_the_fraction_of_pairs_that_it_names(rule: str) -> None:
    for level, graph in zip(LEVELS, built(weights_of(40, 3), rule), strict=True):
        # The two directions of a pair tie.
        assert -1e-9 < (graph > 0).sum() / (40 * 39) - (1 - level) <= 2 / (40 * 39)


@every_rule
@pytest.mark.parametrize("factor", [1e-300, 1e-9, 1e9, 1e300])
def test_a_multiple_of_a_map_keeps_the_same_pairs(rule: str, factor: float) -> None:
    weights = weights_of(20, 5)
    for graph, multiplied in zip(built(weights, rule), built(weights * factor, rule), strict=True):
        assert np.array_equal(graph > 0, multiplied > 0)


@every_rule
@pytest.mark.parametrize("weights", [np.zeros((5, 5)), np.ones((1, 1)), np.eye(4)])
def test_a_map_without_edges_gives_graphs_without_edges(rule: str, weights: NDArray[Any]) -> None:
    for graph in built(weights, rule):
        assert graph.shape == weights.shape
        assert not graph.any()


def test_patches_that_attend_to_the_same_are_linked_by_coupling_alone() -> None:
    # 0 and 1 both attend to 2 and 3, and not to each other.
    weights = np.zeros((4, 4))
    weights[:2, 2:] = 0.5
    [linked] = built(weights, "sum", np.array([0.0]))
    [alike] = built(weights, "coupling", np.array([0.0]))
    assert (linked[0, 1], linked[0, 2]) == (0, 0.5)
    assert (alike[0, 1], alike[0, 2]) == (0.5, 0)


def test_what_all_attend_to_counts_less_if_degrees_are_discounted() -> None:
    # All but 2 and 3 attend to 4; these two attend to 5.
    weights = np.zeros((8, 8))
    weights[[0, 1, 6, 7], 4] = weights[[2, 3], 5] = 1.0
    [coupled] = built(weights, "coupling", np.array([0.0]))
    [discounted] = built(weights, "degree-discounted", np.array([0.0]))
    assert coupled[0, 1] == coupled[2, 3]
    assert discounted[0, 1] == pytest.approx(discounted[2, 3] / np.sqrt(2))


@every_rule
def test_modularity_is_that_of_the_undirected_graph(rule: str) -> None:
    builder = Symmetrised(by=rule)  # type: ignore[arg-type]
    [graph] = builder.build(harness.AttentionMap(weights_of(12, 1)), np.array([0.5]))
    labels = np.arange(12) % 3
    communities = [set(np.flatnonzero(labels == label)) for label in range(3)]
    undirected = graph.to_networkx().to_undirected()
    reference = networkx.community.modularity(undirected, communities)
    assert harness.modularity(graph, labels) == pytest.approx(reference)


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(harness.HarnessError, match="by: expected sum or coupling"):
        Symmetrised(by="mean")  # type: ignore[arg-type]
