from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import harness
from harness_plugins.controls.shuffled_patches import ShuffledPatches

Pixels = NDArray[np.uint8]


def shuffled(pixels: Pixels, size: int, seed: int = 0) -> Pixels:
    drawn: harness.Image = ShuffledPatches(size).draw(harness.Image("a", pixels), seed=seed)
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


@given(
    st.integers(0, 2**31 - 1),
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    st.tuples(st.floats(0, 5), st.floats(0, 5), st.floats(8, 20), st.floats(8, 20)),
)
def test_patches_of_an_extractor_are_shuffled_where_they_lie(
    seed: int, grid: tuple[int, int], region: tuple[float, float, float, float]
) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (26, 26, 1), dtype=np.uint8)
    image = harness.Image("a", pixels, patches=harness.Patches(grid, region))
    (rows, columns), (top, left, height, width) = grid, region
    down = np.rint(top + height * np.arange(rows + 1) / rows).astype(int)
    across = np.rint(left + width * np.arange(columns + 1) / columns).astype(int)

    drawn = ShuffledPatches().draw(image, seed=seed).pixels

    def patches_of(given: Pixels) -> Counter[tuple[tuple[int, ...], bytes]]:
        pieces = (given[a:b, c:d] for a, b in pairwise(down) for c, d in pairwise(across))
        return Counter((piece.shape, piece.tobytes()) for piece in pieces)

    assert patches_of(drawn) == patches_of(pixels)
    outside = np.ones(pixels.shape, dtype=bool)
    outside[down[0] : down[-1], across[0] : across[-1]] = False
    assert (drawn[outside] == pixels[outside]).all()


def test_the_patches_of_the_one_layer_model_are_those_of_its_grid() -> None:
    extractor = harness.make("extractor", "one-layer-vit")
    image = harness.make("image set", "fashion-mnist-sample").load("00000-ankle-boot")
    control = harness.make("control", "shuffled-patches")

    drawn = control.draw(replace(image, patches=extractor.patches(image)), seed=3)

    assert (drawn.pixels == shuffled(image.pixels, 2, 3)).all()


def test_without_a_size_the_extractor_has_to_know_its_patches() -> None:
    with pytest.raises(harness.HarnessError, match=r"where its patches lie.*\[size=16\]"):
        ShuffledPatches().draw(harness.Image("a", np.zeros((8, 8, 1), dtype=np.uint8)), seed=0)


def test_patches_that_are_smaller_than_pixels_are_refused() -> None:
    small = harness.Image(
        "a", np.zeros((8, 8, 1), dtype=np.uint8), patches=harness.Patches((14, 14), (0, 0, 8, 8))
    )
    with pytest.raises(harness.HarnessError, match="14×14 patches are smaller than the pixels"):
        ShuffledPatches().draw(small, seed=0)


def test_a_size_must_be_positive() -> None:
    with pytest.raises(harness.HarnessError, match="size must be at least 1"):
        harness.make("control", "shuffled-patches[size=0]")
