"""Spatial blocks: what clusters would be that follow nothing but the patches' places."""

from collections.abc import Iterator

import numpy as np

from harness.errors import HarnessError
from harness.plugin.values import Integers

# How much larger than the smallest block the largest may be, beyond one patch.
MOST_UNEVEN = 1.5


def spatial_blocks(grid: tuple[int, int], k: int) -> Integers:
    """Part a grid into k contiguous blocks, compact and nearly equal: labels (n,), 0 … k − 1.

    The grid is cut into strips of whole rows, and each strip along its length, to a patch, into its
    share of the blocks; or likewise with columns. Of all numbers of strips the one is taken whose
    blocks have the shortest boundaries between them, then the most even sizes. The largest block
    has at most 1.5 times as many patches as the smallest, and one more. Raises HarnessError unless
    1 ≤ k ≤ n.
    """
    rows, columns = grid
    if not 1 <= k <= rows * columns:
        raise HarnessError(f"{rows * columns} patches cannot be parted into {k} blocks")
    return min(_candidates(rows, columns, k), key=_quality).ravel()


def _candidates(rows: int, columns: int, k: int) -> Iterator[Integers]:
    for strips in range(1, min(rows, k) + 1):
        yield from _in_strips(rows, columns, k, strips)
    for strips in range(1, min(columns, k) + 1):
        for labels in _in_strips(columns, rows, k, strips):
            yield labels.T


def _in_strips(rows: int, columns: int, k: int, strips: int) -> Iterator[Integers]:
    """Blocks (rows, columns) in so many strips of rows; none where that leaves one empty."""
    until = np.arange(strips + 1) * k // strips
    # As many rows for a strip as it has blocks, rounded half up.
    edges = (2 * until * rows + k) // (2 * k)
    labels = np.empty((rows, columns), dtype=np.int64)
    for first, last, top, bottom in zip(until, until[1:], edges, edges[1:], strict=False):
        size = (bottom - top) * columns
        if size < last - first:
            return
        along = first + np.arange(size) * (last - first) // size
        # Up and down in turn, so that a block which ends inside a column holds together.
        strip = along.reshape(columns, bottom - top)
        strip[1::2] = strip[1::2, ::-1].copy()
        labels[top:bottom] = strip.T
    yield labels


def _quality(labels: Integers) -> tuple[bool, int, int]:
    """Sorts blocks (rows, columns), the best first."""
    sizes = np.bincount(labels.ravel())
    least, most = int(sizes.min()), int(sizes.max())
    boundary = np.count_nonzero(np.diff(labels, axis=0)) + np.count_nonzero(np.diff(labels, axis=1))
    return most > MOST_UNEVEN * least + 1, int(boundary), most - least
