import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import harness

CONTROL = harness.make("control", "permuted-rows")


@given(st.integers(0, 2**31 - 1), st.integers(1, 9))
def test_every_row_keeps_its_weights(seed: int, n: int) -> None:
    weights = np.random.default_rng(seed).random((n, n)).astype(np.float32)
    attention = harness.AttentionMap(weights, image="a")

    drawn = CONTROL.draw(attention, seed=seed).weights

    assert (np.sort(drawn, axis=1) == np.sort(weights, axis=1)).all()
