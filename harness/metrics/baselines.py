"""Partitions of an image's patches to compare clusters with: they need no model.

The patches of a grid (rows, columns) are numbered row by row, as in `harness.metrics.foreground`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.metrics.foreground import area_means
from harness.plugin.patches import Patches, Region
from harness.plugin.values import Floats, Integers

# k-means stops where its centres move less than this share of the mean variance.
TOLERANCE = 1e-4
# The largest block may have this many times the patches of the smallest, and one more.
MOST_UNEVEN = 1.5


@dataclass(frozen=True, eq=False)
class PatchPixels:
    """Each patch's own pixels, to be clustered: a baseline that needs no model.

    vectors: (n, values), a patch's pixels as a row, or at most n values with the same distances;
    distinct: the number of patches that differ; tolerance: that of k-means.
    """

    grid: tuple[int, int]
    vectors: Floats
    distinct: int
    tolerance: float

    @classmethod
    def on(
        cls, pixels: NDArray[np.uint8], grid: tuple[int, int], region: Region | None = None
    ) -> Self:
        """The pixels (height, width, channels) of the patches of a grid, on a region of them."""
        vectors = _pixel_vectors(pixels, grid, region)
        n, values = vectors.shape
        distinct, tolerance = len(np.unique(vectors, axis=0)), TOLERANCE
        if values > n:
            # Coordinates in the space that n vectors span. k-means multiplies its tolerance by the
            # mean variance of a coordinate.
            vectors = np.asarray(np.linalg.qr(vectors.T, mode="r")).T
            tolerance *= n / values
        return cls(grid, vectors, distinct, tolerance)

    def kmeans(self, k: int, seed: int) -> Integers:
        """Cluster the patches, (n,).

        Ten starts of k-means++ (Arthur and Vassilvitskii 2007) give k clusters, or as many as there
        are patches that differ. Raises HarnessError unless 1 ≤ k ≤ n.
        """
        from sklearn.cluster import KMeans

        _check_count(self.grid, k, "clusters")
        means = KMeans(min(k, self.distinct), n_init=10, random_state=seed, tol=self.tolerance)
        return np.asarray(means.fit_predict(self.vectors), dtype=np.int64)


def _pixel_vectors(
    pixels: NDArray[np.uint8], grid: tuple[int, int], region: Region | None
) -> Floats:
    """Each patch's pixels, resampled to whole ones, as a row of (n, pixels · channels)."""
    rows, columns = grid
    height, width = Patches.on(pixels.shape[:2], grid, region).patch_size
    fine = (max(1, round(height)), max(1, round(width)))
    cells = area_means(pixels, (rows * fine[0], columns * fine[1]), region)
    vectors = cells.reshape(rows, fine[0], columns, fine[1], pixels.shape[2]).swapaxes(1, 2)
    return vectors.reshape(rows * columns, -1)


def _check_count(grid: tuple[int, int], k: int, parts: str) -> None:
    patches = grid[0] * grid[1]
    if not 1 <= k <= patches:
        raise HarnessError(f"{patches} patches cannot be divided into {k} {parts}")


def spatial_blocks(grid: tuple[int, int], k: int) -> Integers:
    """Contiguous, compact, nearly equal blocks, (n,): a baseline that knows only where patches lie.

    The grid is cut into strips of whole rows, and each strip along its length, to a patch, into a
    proportional number of blocks; or the same with columns. Among all numbers of strips the one
    with the shortest boundaries between blocks wins, then the one with the most even sizes. The
    largest block has at most 1.5 times as many patches as the smallest, and one more. Raises
    HarnessError unless 1 ≤ k ≤ n.

    >>> spatial_blocks((2, 4), 2)
    array([0, 0, 1, 1, 0, 0, 1, 1])
    """
    _check_count(grid, k, "blocks")
    return min(_candidates(*grid, k), key=_quality).ravel()


def _candidates(rows: int, columns: int, k: int) -> Iterator[Integers]:
    for strips in range(1, min(rows, k) + 1):
        yield from _in_strips(rows, columns, k, strips)
    for strips in range(1, min(columns, k) + 1):
        for labels in _in_strips(columns, rows, k, strips):
            yield labels.T


def _in_strips(rows: int, columns: int, k: int, strips: int) -> Iterator[Integers]:
    """Blocks (rows, columns) in a number of strips of rows; nothing if a block would be empty."""
    until = np.arange(strips + 1) * k // strips
    # A strip's number of rows is proportional to its blocks, rounded half up.
    edges = (2 * until * rows + k) // (2 * k)
    labels = np.empty((rows, columns), dtype=np.int64)
    for first, last, top, bottom in zip(until, until[1:], edges, edges[1:], strict=False):
        size = (bottom - top) * columns
        if size < last - first:
            return
        along = first + np.arange(size) * (last - first) // size
        # Up and down in turn, so that a block that ends inside a column stays connected.
        strip = along.reshape(columns, bottom - top)
        strip[1::2] = strip[1::2, ::-1].copy()
        labels[top:bottom] = strip.T
    yield labels


def _quality(labels: Integers) -> tuple[bool, int, int]:
    """Sort key of blocks (rows, columns), the best first."""
    sizes = np.bincount(labels.ravel())
    least, most = int(sizes.min()), int(sizes.max())
    boundary = np.count_nonzero(np.diff(labels, axis=0)) + np.count_nonzero(np.diff(labels, axis=1))
    return most > MOST_UNEVEN * least + 1, int(boundary), most - least
