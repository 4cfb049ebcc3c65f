import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

import harness

CONTROL = harness.make("control", "preserved-distances")


@given(st.integers(0, 2**31 - 1), st.integers(1, 5), st.integers(1, 5))
def test_every_distance_keeps_its_weights(seed: int, rows: int, columns: int) -> None:
    n = rows * columns
    weights = np.random.default_rng(seed).random((n, n))
    places = np.argwhere(np.ones((rows, columns)))
    distances = cdist(places, places).round(9)

    drawn = CONTROL.draw(harness.AttentionMap(weights, grid=(rows, columns)), seed=seed).weights

    for distance in np.unique(distances):
        at_distance = distances == distance
        assert np.array_equal(np.sort(drawn[at_distance]), np.sort(weights[at_distance]))


def test_a_weight_reaches_every_pair_at_its_distance_as_often() -> None:
    weights = np.zeros((4, 4))
    weights[0, 3] = 1
    attention = harness.AttentionMap(weights, grid=(2, 2))

    counts = sum(CONTROL.draw(attention, seed=seed).weights for seed in range(1000))

    # Both diagonals of the square, either way.
    assert counts[[0, 3, 1, 2], [3, 0, 2, 1]] == pytest.approx([250] * 4, abs=70)
    assert counts.sum() == 1000


def test_strengths_are_destroyed() -> None:
    weights = np.ones((49, 49))
    weights[:, 0] = 10

    drawn = CONTROL.draw(harness.AttentionMap(weights, grid=(7, 7)), seed=0)

    assert drawn.weights[1:, 0].mean() < 5


def test_a_map_without_a_grid_is_refused() -> None:
    with pytest.raises(harness.HarnessError, match="no grid of its 9 patches"):
        CONTROL.draw(np.ones((9, 9)), seed=0)
