from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import harness
from harness_plugins.controls.shuffled_patches import ShuffledPatches

Pixels = NDArray[np.uint8]


def shuffled(pixels: Pixels, size: int, seed: int = 0) -> Pixels:
    drawn: harness.Image = ShuffledPatches(size).draw(harness.Image("a", pixels), seed)
    return drawn.pixels


def pieces(pixels: Pixels, size: int) -> Counter[tuple[tuple[int, ...], bytes]]:
    height, width, _ = pixels.shape
    return Counter(
        (piece.shape, piece.tobytes())
        for top in range(0, height, size)
        for left in range(0, width, size)
        for piece in [pixels[top : top + size, left : left + size]]
    )


@given(st.integers(0, 2**31 - 1), st.integers(1, 4), st.integers(8, 14), st.integers(8, 14))
def test_every_piece_of_the_image_occurs_as_often_as_in_it(
    seed: int, size: int, height: int, width: int
) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)

    assert pieces(shuffled(pixels, size, seed), size) == pieces(pixels, size)


def test_all_arrangements_of_patches_occur() -> None:
    quarters = np.kron([[0, 1], [2, 3]], np.ones((3, 3))).astype(np.uint8)[:, :, None]

    arrangements = {shuffled(quarters, 3, seed).tobytes() for seed in range(300)}

    assert len(arrangements) == 24


def test_only_the_corner_stays_where_the_size_does_not_divide_the_image() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 50, 1), dtype=np.uint8)

    drawn = shuffled(pixels, 8)

    changed = drawn != pixels
    assert not changed[48:, 48:].any()
    for part in (changed[:48, :48], changed[:48, 48:], changed[48:, :48]):
        assert part.any()


def test_an_image_that_does_not_hold_two_patches_is_refused() -> None:
    with pytest.raises(harness.HarnessError, match="28×28 pixels does not hold two patches of 16"):
        shuffled(np.zeros((28, 28, 1), dtype=np.uint8), 16)


def test_a_size_is_needed_and_positive() -> None:
    with pytest.raises(harness.HarnessError, match="size is required"):
        harness.make("control", "shuffled-patches")
    with pytest.raises(harness.HarnessError, match="size must be at least 1"):
        harness.make("control", "shuffled-patches[size=0]")
