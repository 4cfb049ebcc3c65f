import math
from fractions import Fraction

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from sklearn.metrics import adjusted_mutual_info_score

from harness.errors import HarnessError
from harness.metrics.foreground import (
    HALF,
    agreement,
    area_means,
    foreground_fractions,
    pixel_kmeans,
    spatial_blocks,
    why_undefined,
)

Case = tuple[NDArray[np.bool_], tuple[int, int], tuple[Fraction, Fraction, Fraction, Fraction]]


@st.composite
def masked_grids(draw: st.DrawFn) -> Case:
    """A mask, a grid, and a region of the mask in quarters of pixels, which floats hold exactly."""
    shape = draw(st.tuples(st.integers(1, 8), st.integers(1, 8)))
    grid = draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    first = [draw(st.integers(0, 4 * side - 1)) for side in shape]
    length = [draw(st.integers(1, 4 * side - at)) for side, at in zip(shape, first, strict=True)]
    top, left, height, width = (Fraction(quarters, 4) for quarters in first + length)
    return draw(arrays.arrays(np.bool_, shape)), grid, (top, left, height, width)


def overlap(first: Fraction, last: Fraction, pixel: int) -> Fraction:
    return max(Fraction(0), min(last, Fraction(pixel + 1)) - max(first, Fraction(pixel)))


@given(masked_grids())
def test_a_patchs_fraction_is_the_part_of_its_area_that_the_mask_covers(case: Case) -> None:
    mask, (rows, columns), region = case
    top, left, high, wide = region[0], region[1], region[2] / rows, region[3] / columns
    expected = [
        sum(
            (
                overlap(top + row * high, top + (row + 1) * high, y)
                * overlap(left + column * wide, left + (column + 1) * wide, x)
                for y, x in np.argwhere(mask).tolist()
            ),
            Fraction(0),
        )
        / (high * wide)
        for row in range(rows)
        for column in range(columns)
    ]
    place = (float(region[0]), float(region[1]), float(region[2]), float(region[3]))
    fractions = foreground_fractions(mask, (rows, columns), place)
    assert fractions == pytest.approx([float(share) for share in expected], abs=1e-12)
    # Exactly one half is foreground.
    assert (fractions >= HALF).tolist() == [share >= Fraction(1, 2) for share in expected]


def test_without_a_region_patches_are_of_the_whole_mask() -> None:
    mask = np.random.default_rng(0).random((7, 11)) < 0.5
    whole = (0.0, 0.0, 7.0, 11.0)

    assert np.array_equal(
        foreground_fractions(mask, (3, 4)), foreground_fractions(mask, (3, 4), whole)
    )


def test_pixel_k_means_clusters_the_patches_of_the_region() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 40, 3), dtype=np.uint8)
    cut = pixels[4:16, 8:32]

    found = pixel_kmeans(pixels, (3, 4), 3, seed=0, region=(4.0, 8.0, 12.0, 24.0))
    assert np.array_equal(found, pixel_kmeans(cut, (3, 4), 3, seed=0))


def test_the_mean_of_whole_pixels_is_theirs_channel_by_channel() -> None:
    pixels = np.arange(4 * 6 * 3).reshape(4, 6, 3)
    means = area_means(pixels, (2, 3))
    assert means.shape == (2, 3, 3)
    np.testing.assert_allclose(means[1, 2], pixels[2:, 4:].mean(axis=(0, 1)))


@given(
    arrays.arrays(np.int64, 12, elements=st.integers(-1, 3)),
    arrays.arrays(np.bool_, 12).filter(lambda mask: mask.any() and not mask.all()),
)
def test_agreement_is_the_adjusted_mutual_information_with_the_unassigned_as_singletons(
    labels: NDArray[np.int64], foreground: NDArray[np.bool_]
) -> None:
    alone = [label if label >= 0 else 100 + node for node, label in enumerate(labels.tolist())]
    expected = adjusted_mutual_info_score(foreground, alone)
    assert agreement(labels, foreground) == pytest.approx(expected)


def test_clusters_that_are_foreground_and_background_agree_wholly() -> None:
    foreground = np.array([True, False, False, True, True])
    assert agreement(np.where(foreground, 4, 2), foreground) == pytest.approx(1)


def test_random_clusters_agree_by_chance_however_many() -> None:
    random = np.random.default_rng(0)
    foreground = np.arange(100) < 40
    for k in (2, 10, 40):
        found = [agreement(random.integers(0, k, 100), foreground) for _ in range(200)]
        assert abs(np.mean(found)) < 4 * np.std(found) / math.sqrt(len(found))


@pytest.mark.parametrize(("value", "reason"), [(True, "every patch"), (False, "no patch")])
def test_with_a_foreground_of_all_or_nothing_nothing_agrees(value: bool, reason: str) -> None:
    foreground = np.full(4, value)
    assert math.isnan(agreement(np.array([0, 0, 1, 1]), foreground))
    assert why_undefined(foreground).startswith(reason)


def quarters(size: int) -> NDArray[np.uint8]:
    """An image (size, size, 1) of two halves, a bright one and a dark one, with a little noise."""
    pixels = np.random.default_rng(0).integers(0, 20, (size, size, 1))
    pixels[:, size // 2 :] += 200
    return pixels.astype(np.uint8)


@pytest.mark.parametrize("size", [8, 10])
def test_pixel_k_means_finds_what_pixels_show(size: int) -> None:
    labels = pixel_kmeans(quarters(size), (4, 4), 2, seed=0).reshape(4, 4)
    assert len(set(labels[:, :2].ravel())) == len(set(labels[:, 2:].ravel())) == 1
    assert labels[0, 0] != labels[0, 3]


def test_k_means_is_reproducible_and_has_as_many_clusters_as_asked_for() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (12, 12, 3)).astype(np.uint8)
    labels = pixel_kmeans(pixels, (6, 6), 7, seed=3)
    assert len(set(labels.tolist())) == 7
    assert labels.tolist() == pixel_kmeans(pixels, (6, 6), 7, seed=3).tolist()


@pytest.mark.filterwarnings("error")
def test_where_fewer_patches_differ_there_are_fewer_clusters() -> None:
    pixels = np.zeros((8, 8, 1), dtype=np.uint8)
    pixels[:4] = 255
    assert set(pixel_kmeans(pixels, (4, 4), 5, seed=0).tolist()) == {0, 1}


@pytest.mark.parametrize("k", [0, 17])
def test_more_clusters_than_patches_are_refused(k: int) -> None:
    with pytest.raises(HarnessError, match=f"16 patches cannot be divided into {k} clusters"):
        pixel_kmeans(quarters(8), (4, 4), k, seed=0)


@st.composite
def grids(draw: st.DrawFn) -> tuple[tuple[int, int], int]:
    rows, columns = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    return (rows, columns), draw(st.integers(1, rows * columns))


@given(grids())
def test_there_are_exactly_k_blocks_of_nearly_the_same_size(case: tuple) -> None:
    grid, k = case
    labels = spatial_blocks(grid, k)
    assert labels.shape == (grid[0] * grid[1],)
    sizes = np.bincount(labels)
    assert len(sizes) == k
    assert sizes.min() >= 1
    assert sizes.max() <= 1.5 * sizes.min() + 1


@given(grids())
def test_every_block_is_contiguous(case: tuple) -> None:
    (rows, columns), k = case
    labels = spatial_blocks((rows, columns), k)
    lattice = networkx.convert_node_labels_to_integers(
        networkx.grid_2d_graph(rows, columns), ordering="sorted"
    )
    for block in range(k):
        assert networkx.is_connected(lattice.subgraph(np.flatnonzero(labels == block).tolist()))


def test_as_many_blocks_as_are_quarters_are_quarters() -> None:
    labels = spatial_blocks((6, 8), 4).reshape(6, 8)
    for rows in (slice(0, 3), slice(3, 6)):
        for columns in (slice(0, 4), slice(4, 8)):
            assert len(set(labels[rows, columns].ravel())) == 1


def test_a_long_grid_is_cut_across() -> None:
    assert spatial_blocks((2, 6), 3).reshape(2, 6).tolist() == [[0, 0, 1, 1, 2, 2]] * 2
    assert spatial_blocks((6, 2), 3).reshape(6, 2).T.tolist() == [[0, 0, 1, 1, 2, 2]] * 2


@pytest.mark.parametrize("k", [0, 7])
def test_more_blocks_than_patches_are_refused(k: int) -> None:
    with pytest.raises(HarnessError, match=f"6 patches cannot be divided into {k} blocks"):
        spatial_blocks((2, 3), k)
