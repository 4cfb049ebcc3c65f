import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import harness

SEEDS = st.integers(0, 2**31 - 1)


@given(SEEDS, st.sampled_from([1, 3]))
def test_uniform_noise_has_the_size_and_channels_of_its_image(seed: int, channels: int) -> None:
    image = harness.Image("a", np.zeros((5, 7, channels), dtype=np.uint8), label=3)

    drawn = harness.make("control", "uniform-noise").draw(image, seed)

    assert drawn.pixels.shape == (5, 7, channels)
    assert (drawn.key, drawn.label) == ("a", 3)


def test_uniform_noise_is_uniform_over_all_bytes() -> None:
    image = harness.Image("a", np.zeros((200, 200, 3), dtype=np.uint8))

    drawn = harness.make("control", "uniform-noise").draw(image, 0)

    counts = np.bincount(drawn.pixels.ravel(), minlength=256)
    expected = drawn.pixels.size / 256
    # χ² with 255 degrees of freedom lies below 400 but for one draw in 10⁸.
    assert ((counts - expected) ** 2 / expected).sum() < 400


def test_a_control_is_its_seed() -> None:
    image = harness.Image("a", np.zeros((5, 7, 1), dtype=np.uint8))
    control = harness.make("control", "uniform-noise")

    assert control.draw(image, 1).digest == control.draw(image, 1).digest
    assert control.draw(image, 1).digest != control.draw(image, 2).digest


@given(SEEDS, st.integers(1, 9))
def test_permuted_rows_keep_every_rows_weights_and_the_diagonal(seed: int, n: int) -> None:
    weights = np.random.default_rng(seed).random((n, n)).astype(np.float32)
    attention = harness.AttentionMap(weights, image="a")

    drawn = harness.make("control", "permuted-rows").draw(attention, seed).weights

    assert drawn.dtype == np.float32
    assert (np.diag(drawn) == np.diag(weights)).all()
    assert (np.sort(drawn, axis=1) == np.sort(weights, axis=1)).all()


def test_permuted_rows_destroy_planted_communities() -> None:
    parity = np.arange(40) % 2
    weights = 0.1 + (parity[:, None] == parity[None, :]).astype(float)
    control = harness.make("control", "permuted-rows")

    drawn = control.draw(weights, 0).weights

    assert harness.modularity(weights, parity) > 0.3
    assert abs(harness.modularity(drawn, parity)) < 0.1
