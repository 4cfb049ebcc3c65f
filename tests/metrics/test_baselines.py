import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from harness.errors import HarnessError
from harness.metrics.baselines import PatchPixels, spatial_blocks


def quarters(size: int) -> NDArray[np.uint8]:
    """An image (size, size, 1) of two halves, a bright one and a dark one, with a little noise."""
    pixels = np.random.default_rng(0).integers(0, 20, (size, size, 1))
    pixels[:, size // 2 :] += 200
    return pixels.astype(np.uint8)


@pytest.mark.parametrize("size", [8, 10])
def test_pixel_k_means_finds_what_pixels_show(size: int) -> None:
    labels = PatchPixels.on(quarters(size), (4, 4)).kmeans(2, seed=0).reshape(4, 4)
    assert len(set(labels[:, :2].ravel())) == len(set(labels[:, 2:].ravel())) == 1
    assert labels[0, 0] != labels[0, 3]


def test_pixel_k_means_clusters_the_patches_of_the_region() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 40, 3), dtype=np.uint8)
    cut = pixels[4:16, 8:32]

    found = PatchPixels.on(pixels, (3, 4), (4.0, 8.0, 12.0, 24.0)).kmeans(3, seed=0)
    assert np.array_equal(found, PatchPixels.on(cut, (3, 4)).kmeans(3, seed=0))


def test_pixel_k_means_is_that_of_the_patches_own_pixels() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    # More values a patch than patches.
    vectors = pixels.reshape(4, 8, 4, 8, 3).swapaxes(1, 2).reshape(16, 192)

    expected = KMeans(3, n_init=10, random_state=0).fit_predict(vectors.astype(float))
    assert adjusted_rand_score(expected, PatchPixels.on(pixels, (4, 4)).kmeans(3, seed=0)) == 1


def test_k_means_is_reproducible_and_has_as_many_clusters_as_asked_for() -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (12, 12, 3)).astype(np.uint8)
    labels = PatchPixels.on(pixels, (6, 6)).kmeans(7, seed=3)
    assert len(set(labels.tolist())) == 7
    assert labels.tolist() == PatchPixels.on(pixels, (6, 6)).kmeans(7, seed=3).tolist()


@pytest.mark.filterwarnings("error")
def test_where_fewer_patches_differ_there_are_fewer_clusters() -> None:
    pixels = np.zeros((8, 8, 1), dtype=np.uint8)
    pixels[:4] = 255
    assert set(PatchPixels.on(pixels, (4, 4)).kmeans(5, seed=0).tolist()) == {0, 1}


@pytest.mark.parametrize("k", [0, 17])
def test_more_clusters_than_patches_are_refused(k: int) -> None:
    with pytest.raises(HarnessError, match=f"16 patches cannot be divided into {k} clusters"):
        PatchPixels.on(quarters(8), (4, 4)).kmeans(k, seed=0)


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
