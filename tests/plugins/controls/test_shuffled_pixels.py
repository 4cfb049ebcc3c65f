from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import harness

CONTROL = harness.make("control", "shuffled-pixels")


@given(st.integers(0, 2**31 - 1), st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3]))
def test_every_colour_occurs_as_often_as_in_the_image(
    seed: int, height: int, width: int, channels: int
) -> None:
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 4, (height, width, channels), dtype=np.uint8)

    drawn = CONTROL.draw(pixels, seed=seed).pixels

    def colours(image: "np.typing.NDArray[np.uint8]") -> Counter[bytes]:
        return Counter(pixel.tobytes() for pixel in image.reshape(-1, channels))

    assert colours(drawn) == colours(pixels)


def test_neighbours_are_no_more_alike_than_others() -> None:
    ramp = np.repeat(np.arange(200, dtype=np.uint8), 200).reshape(200, 200, 1)

    drawn = CONTROL.draw(ramp, seed=0).pixels.astype(float)

    assert abs(np.corrcoef(drawn[1:].ravel(), drawn[:-1].ravel())[0, 1]) < 0.03
