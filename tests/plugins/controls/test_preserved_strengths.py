import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

import harness

CONTROL = harness.make("control", "preserved-strengths")


def noise(seed: int, n: int, spread: float = 0.5) -> harness.Floats:
    """Row softmax of normal logits with normal effects of columns."""
    random = np.random.default_rng(seed)
    weights = np.exp(random.normal(size=(n, n)) + spread * random.normal(size=n))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def draw(weights: NDArray[np.floating], seed: int = 0) -> NDArray[np.floating]:
    drawn: harness.AttentionMap = CONTROL.draw(weights, seed=seed)
    return drawn.weights


def strength_residual(weights: NDArray[np.floating], drawn: NDArray[np.floating]) -> float:
    """The largest difference of an in- or out-strength off the diagonal, over the largest one."""
    others = ~np.eye(len(weights), dtype=bool)
    before, after = (np.where(others, each, 0.0).astype(np.float64) for each in (weights, drawn))
    difference = max(np.abs(before.sum(axis) - after.sum(axis)).max() for axis in (0, 1))
    largest = max(before.sum(axis).max() for axis in (0, 1))
    return float(difference / largest) if largest else float(difference)


@given(st.integers(0, 2**31 - 1), st.integers(2, 12), st.floats(0, 3))
def test_every_node_gives_and_receives_as_much_as_before(seed: int, n: int, spread: float) -> None:
    weights = noise(seed, n, spread)

    drawn = draw(weights, seed)

    for before, after in ((weights, drawn), (weights.T, drawn.T)):
        graphs = [
            networkx.from_numpy_array(one - np.diag(one.diagonal()), create_using=networkx.DiGraph)
            for one in (before, after)
        ]
        wanted, found = (dict(graph.out_degree(weight="weight")) for graph in graphs)
        assert found == pytest.approx(wanted, rel=1e-9)


@given(st.integers(0, 2**31 - 1), st.sampled_from([1e-30, 1.0, 1e30]))
def test_weights_of_any_scale_are_balanced(seed: int, scale: float) -> None:
    weights = scale * noise(seed, 8)

    assert strength_residual(weights, draw(weights, seed)) < 1e-9


def test_single_precision_keeps_strengths_to_its_rounding() -> None:
    weights = noise(0, 50).astype(np.float32)

    assert strength_residual(weights, draw(weights)) < 1e-7


def test_the_residual_is_the_largest_difference_over_the_largest_strength() -> None:
    weights = np.array([[5.0, 1.0, 3.0], [0.0, 5.0, 2.0], [0.0, 0.0, 5.0]])
    other = np.array([[9.0, 1.5, 3.0], [0.0, 5.0, 2.0], [0.0, 0.0, 5.0]])

    assert strength_residual(weights, other) == pytest.approx(0.5 / 5)
    assert strength_residual(weights, weights) == 0


def test_the_distribution_of_weights_stays_close_to_the_maps() -> None:
    weights = noise(0, 100)
    others = ~np.eye(100, dtype=bool)

    assert stats.ks_2samp(draw(weights)[others], weights[others]).statistic < 0.03


def test_hubs_stay_hubs() -> None:
    weights = noise(0, 50)
    weights[:, 7] += 1

    drawn = draw(weights)

    assert drawn[np.arange(50) != 7, 7].mean() > 10 * drawn[:, :7].mean()


def test_some_zeros_do_not_keep_strengths_from_being_reached() -> None:
    weights = noise(0, 40)
    weights[np.random.default_rng(1).random((40, 40)) < 0.3] = 0
    weights[:, 3] = 0
    weights[5] = 0

    drawn = draw(weights)

    assert strength_residual(weights, drawn) < 1e-9
    assert np.count_nonzero(drawn) == np.count_nonzero(weights)


def test_a_map_whose_zeros_leave_no_balance_is_refused() -> None:
    cycle = np.roll(np.eye(20), 1, axis=1)

    with pytest.raises(harness.HarnessError, match="too many of the map's weights are zero"):
        draw(cycle)


def test_noise_and_its_nulls_are_as_modular() -> None:
    louvain = harness.make("clusterer", "louvain")

    def modularity(weights: NDArray[np.floating]) -> float:
        return float(harness.modularity(weights, louvain.cluster(weights, seed=0)))

    observed = [modularity(noise(seed, 60)) for seed in range(20)]
    nulls = [modularity(draw(noise(seed, 60), seed)) for seed in range(20)]

    assert np.mean(nulls) == pytest.approx(np.mean(observed), rel=0.05)
