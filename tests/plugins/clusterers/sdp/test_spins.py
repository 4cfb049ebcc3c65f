import itertools
from collections.abc import Callable, Iterator
from typing import Any

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

import harness
from harness.plugin.values import Floats
from harness_plugins.clusterers.sdp import solve_reference, solve_spins

GRAPHS = {
    "karate club": networkx.karate_club_graph(),
    "two blocks": networkx.planted_partition_graph(2, 12, 0.8, 0.1, seed=0),
    "unequal cliques": networkx.barbell_graph(6, 9),
    "geometric": networkx.random_geometric_graph(25, 0.35, seed=2),
    "scale-free": networkx.barabasi_albert_graph(29, 2, seed=1),
    "cycle": networkx.cycle_graph(17),
}
every_graph = pytest.mark.parametrize("name", GRAPHS)


def weights_of(name: str) -> Floats:
    return np.asarray(networkx.to_numpy_array(GRAPHS[name], weight=None))


every_balance = pytest.mark.parametrize(
    "balance",
    [
        {"balance": "exact"},
        {"balance": "penalty"},
        {"balance": "penalty", "gamma": 0.05},
        {"balance": "none"},
    ],
    ids=lambda balance: "-".join(map(str, balance.values())),
)


@every_graph
@every_balance
@pytest.mark.parametrize("sign", [1, -1])
def test_objective_is_that_of_the_exact_programme(
    name: str, balance: dict[str, Any], sign: int
) -> None:
    weights = sign * weights_of(name)
    exact, _ = solve_reference(weights, **balance)
    solution = solve_spins(weights, **balance)
    assert solution.converged
    assert solution.objective == pytest.approx(exact, rel=1e-4, abs=1e-4)
    assert solution.bound >= exact - 1e-4 * max(1, abs(exact))


@every_graph
def test_gram_matrix_is_that_of_the_exact_programme_where_it_is_unique(name: str) -> None:
    weights = weights_of(name)
    # Weights in general position leave one optimum.
    jitter = np.random.default_rng(0).uniform(0.5, 1.5, weights.shape)
    weights *= jitter + jitter.T
    _, exact = solve_reference(weights)
    spins = solve_spins(weights, tolerance=1e-9).spins
    assert np.abs(spins @ spins.T - exact).max() < 0.02


@every_graph
@every_balance
def test_eight_digits_are_certified(name: str, balance: dict[str, Any]) -> None:
    solution = solve_spins(weights_of(name), tolerance=1e-8, **balance)
    assert solution.converged
    assert abs(solution.gap) <= 1e-8
    assert solution.bound == pytest.approx(solution.objective, rel=1e-7)


def signs(n: int) -> Iterator[Floats]:
    """Every way to part n nodes in two, the first node's side fixed."""
    for sides in itertools.product((1.0, -1.0), repeat=n - 1):
        yield np.array([1.0, *sides])


@given(seed=st.integers(0, 2**31 - 1), n=st.integers(2, 8))
@settings(max_examples=30, deadline=None)
def test_no_partition_in_two_exceeds_the_bound(seed: int, n: int) -> None:
    generator = np.random.default_rng(seed)
    weights = generator.normal(size=(n, n)) * (generator.random((n, n)) < 0.7)
    weights += weights.T
    np.fill_diagonal(weights, 0)
    cut = solve_spins(weights, balance="none")
    best = max(0.5 * side @ weights @ side for side in signs(n))
    assert cut.bound >= best - 1e-6
    balanced = [side for side in signs(n) if side.sum() == 0]
    if balanced:
        halved = solve_spins(weights)
        assert halved.bound >= max(0.5 * side @ weights @ side for side in balanced) - 1e-6


@given(seed=st.integers(0, 2**31 - 1), n=st.integers(2, 25))
@settings(max_examples=40, deadline=None)
def test_spins_are_balanced_unit_vectors_for_any_weights(seed: int, n: int) -> None:
    generator = np.random.default_rng(seed)
    weights = generator.normal(size=(n, n)) * (generator.random((n, n)) < 0.5)
    weights += weights.T
    solution = solve_spins(weights, seed=seed)
    assert np.linalg.norm(solution.spins, axis=1) == pytest.approx(1)
    assert solution.imbalance == pytest.approx(
        np.linalg.norm(solution.spins.sum(axis=0)) / n, abs=1e-12
    )
    if solution.converged:
        assert solution.imbalance <= 1e-6
        assert abs(solution.gap) <= 1e-6


@given(seed=st.integers(0, 2**31 - 1))
@settings(max_examples=20, deadline=None)
def test_reordering_the_nodes_changes_no_objective(seed: int) -> None:
    weights = weights_of("geometric")
    order = np.random.default_rng(seed).permutation(len(weights))
    found = solve_spins(weights[np.ix_(order, order)])
    assert found.objective == pytest.approx(solve_spins(weights).objective, rel=3e-6)


def mutual_neighbours(seed: int, degree: int) -> Floats:
    """Who is near whom among 256 points in two clouds: hubs, and two halves that nearly fit."""
    generator = np.random.default_rng(seed)
    points = generator.normal(size=(256, 4)) * generator.uniform(0.5, 2, (256, 1))
    points[:128, 0] += 1.5
    distances = np.linalg.norm(points[:, None] - points, axis=2)
    near = distances <= np.partition(distances, degree, axis=1)[:, [degree]]
    weights = (near | near.T).astype(float)
    np.fill_diagonal(weights, 0)
    return weights


def nearly_complete(seed: int, missing: float, *, hubs: bool) -> Floats:
    """A complete graph of 256 nodes without a few edges, most of them at hubs or anywhere."""
    generator = np.random.default_rng(seed)
    share = generator.pareto(1.5, 256) + 0.2 if hubs else np.ones(256)
    chance = missing * np.outer(share, share) / share.mean() ** 2
    upper = np.triu(generator.random((256, 256)) < chance, 1)
    weights = 1.0 - (upper | upper.T)
    np.fill_diagonal(weights, 0)
    return np.asarray(weights)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "weights",
    [
        *(mutual_neighbours(seed, degree) for seed in (0, 1) for degree in (10, 60, 120)),
        *(
            nearly_complete(0, missing, hubs=hubs)
            for missing in (0.003, 0.01, 0.05, 0.2)
            for hubs in (False, True)
        ),
        np.kron(1 - np.eye(2), np.ones((128, 128))),
        np.kron(np.eye(2), np.ones((128, 128))) - np.eye(256),
    ],
    ids=[
        *(f"neighbours-{seed}-{degree}" for seed in (0, 1) for degree in (10, 60, 120)),
        *(
            f"nearly complete-{missing}-{hubs}"
            for missing in (0.003, 0.01, 0.05, 0.2)
            for hubs in ("random", "hubs")
        ),
        "bipartite",
        "two cliques",
    ],
)
def test_no_graph_traps_the_search(weights: Floats, seed: int) -> None:
    solution = solve_spins(weights, tolerance=1e-4, max_iterations=400, seed=seed)
    assert solution.converged


def test_objective_and_spins_agree() -> None:
    weights = weights_of("karate club")
    solution = solve_spins(weights)
    gram = solution.spins @ solution.spins.T
    assert solution.objective == pytest.approx((weights * gram).sum() / 2)


def test_unequal_blocks_do_not_collapse_to_one_direction() -> None:
    weights = np.zeros((80, 80))
    weights[:20, :20] = weights[20:, 20:] = 1
    weights[0, 79] = weights[79, 0] = 1
    np.fill_diagonal(weights, 0)
    solution = solve_spins(weights)
    assert solution.converged
    assert solution.imbalance < 1e-6
    assert solution.gap <= 1e-6


@pytest.mark.parametrize("scale", [1e-30, 1e-6, 1e6, 1e30])
def test_scaling_the_weights_scales_the_objective(scale: float) -> None:
    weights = weights_of("karate club")
    assert solve_spins(weights * scale).objective == pytest.approx(
        solve_spins(weights).objective * scale, rel=1e-5
    )


@pytest.mark.parametrize("name", ["two blocks", "cycle"])
def test_sparse_weights_give_the_solution_of_dense_ones(name: str) -> None:
    weights = weights_of(name)
    assert solve_spins(csr_array(weights)).objective == pytest.approx(
        solve_spins(weights).objective, rel=1e-9
    )


def test_every_balanced_embedding_of_a_complete_graph_is_optimal() -> None:
    solution = solve_spins(np.ones((20, 20)) - np.eye(20))
    assert solution.converged
    assert solution.objective == pytest.approx(-10)


@pytest.mark.parametrize("leaves", [4, 30])
def test_a_star_converges(leaves: int) -> None:
    solution = solve_spins(networkx.to_numpy_array(networkx.star_graph(leaves)))
    assert solution.converged
    assert solution.objective == pytest.approx(-1)


def test_two_nodes_get_opposite_spins() -> None:
    spins = solve_spins(np.array([[0.0, 1.0], [1.0, 0.0]])).spins
    assert spins[0] == pytest.approx(-spins[1])


def test_no_edges_leave_any_balanced_spins() -> None:
    solution = solve_spins(np.zeros((7, 7)))
    assert solution.objective == 0
    assert solution.imbalance < 1e-6


def test_the_seed_decides_the_spins() -> None:
    weights = weights_of("karate club")
    first = solve_spins(weights, seed=3).spins
    assert np.array_equal(first, solve_spins(weights, seed=3).spins)
    assert not np.allclose(first, solve_spins(weights, seed=4).spins)


def test_a_smaller_tolerance_comes_nearer() -> None:
    weights = weights_of("scale-free")
    gaps = [solve_spins(weights, tolerance=tolerance).gap for tolerance in (1e-2, 1e-5, 1e-8)]
    assert gaps[0] > gaps[1] > gaps[2]


def test_too_few_iterations_are_reported() -> None:
    solution = solve_spins(weights_of("karate club"), max_iterations=2)
    assert solution.iterations == 2
    assert not solution.converged


def test_spins_have_the_rank_asked_for_and_are_read_only() -> None:
    spins = solve_spins(weights_of("karate club"), rank=7).spins
    assert spins.shape == (34, 7)
    with pytest.raises(ValueError, match="read-only"):
        spins[0, 0] = 0


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.zeros((3, 2)), "at least 2 nodes"),
        (np.zeros((1, 1)), "at least 2 nodes"),
        (np.array([[0.0, 1.0], [2.0, 0.0]]), "symmetric"),
        (csr_array(np.array([[0.0, 1.0], [0.0, 0.0]])), "symmetric"),
        (np.full((3, 3), np.nan), "finite"),
    ],
)
@pytest.mark.parametrize("solve", [solve_spins, solve_reference])
def test_unsuitable_weights_are_refused(
    solve: Callable[[Any], object], weights: Any, message: str
) -> None:
    with pytest.raises(harness.HarnessError, match=message):
        solve(weights)


@pytest.mark.parametrize(
    "parameters",
    [
        {"rank": 1},
        {"tolerance": 0.0},
        {"max_iterations": 0},
        {"balance": "none", "gamma": 1.0},
        {"balance": "penalty", "gamma": -1.0},
        {"balance": "penalty", "gamma": np.inf},
        {"balance": "half"},
    ],
    ids=str,
)
def test_unsuitable_parameters_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(harness.HarnessError):
        solve_spins(np.zeros((4, 4)), **parameters)


def overlap(signal: float, degree: float, nodes: int, seed: int) -> float:
    """|⟨sign, truth⟩|/n on the block model of two groups; λ and d of Javanmard et al. 2016."""
    generator = np.random.default_rng(seed)
    truth = np.repeat([1.0, -1.0], nodes // 2)
    half = signal * np.sqrt(degree)
    chance = (degree + half * np.outer(truth, truth)) / nodes
    upper = np.triu(generator.random((nodes, nodes)) < chance, 1)
    weights = (upper | upper.T).astype(float)
    linked = np.flatnonzero(in_giant_component(weights))
    spins = solve_spins(weights[np.ix_(linked, linked)], tolerance=1e-3).spins
    axis = np.linalg.eigh(spins.T @ spins)[1][:, -1]
    guess = generator.choice([-1.0, 1.0], nodes)
    guess[linked] = np.sign(spins @ axis)
    return float(abs(guess @ truth)) / nodes


def in_giant_component(weights: Floats) -> Any:
    """Which nodes lie in the largest component."""
    graph = networkx.from_numpy_array(weights)
    inside = np.zeros(len(weights), dtype=bool)
    inside[list(max(networkx.connected_components(graph), key=len))] = True
    return inside


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signal", "degree", "least", "most"),
    # 8,000 nodes have .81 and .97 at degree 5, .78 and .96 at degree 10.
    [
        (0.8, 5, 0.0, 0.3),
        (1.5, 5, 0.73, 0.89),
        (2.0, 5, 0.93, 1.0),
        (2.0, 10, 0.92, 0.99),
    ],
)
def test_groups_are_found_above_the_phase_transition_only(
    signal: float, degree: float, least: float, most: float
) -> None:
    found = np.mean([overlap(signal, degree, 800, seed) for seed in range(3)])
    assert least <= found <= most
