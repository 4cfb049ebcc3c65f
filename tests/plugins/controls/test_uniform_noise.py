import numpy as np

import harness


def test_noise_is_uniform_over_all_bytes() -> None:
    image = harness.Image("a", np.zeros((200, 200, 3), dtype=np.uint8))

    drawn = harness.make("control", "uniform-noise").draw(image, seed=0)

    counts = np.bincount(drawn.pixels.ravel(), minlength=256)
    expected = drawn.pixels.size / 256
    # χ² with 255 degrees of freedom lies below 400 but for one draw in 10⁸.
    assert ((counts - expected) ** 2 / expected).sum() < 400
