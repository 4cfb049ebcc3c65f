import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.metrics.blocks import spatial_blocks


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
    with pytest.raises(HarnessError, match=f"6 patches cannot be parted into {k} blocks"):
        spatial_blocks((2, 3), k)
