"""Do clusters mean anything: their agreement with an image's foreground, beside simple baselines.

Patches of a grid (rows, columns) are numbered row by row, and part a region of the image evenly,
or all of it: a patch is height / rows pixels high and width / columns wide, whole or not.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.metrics.partition import check_labels, unassigned_as_singletons
from harness.plugin.patches import Patches, Region
from harness.plugin.values import Floats, Integers

# Share of a patch's area from which it counts as foreground.
HALF = 0.5


def foreground_shares(
    mask: NDArray[np.bool_], grid: tuple[int, int], region: Region | None = None
) -> Floats:
    """The share of each patch's area (n,) that a mask (height, width) of the image covers.

    Exact where a boundary between patches cuts through pixels: each part counts with its area.
    """
    return area_means(mask, grid, region).ravel()


def foreground_patches(
    mask: NDArray[np.bool_], grid: tuple[int, int], region: Region | None = None
) -> NDArray[np.bool_]:
    """Which patches (n,) a mask (height, width) covers by half of their area or more."""
    return foreground_shares(mask, grid, region) >= HALF


def area_means(values: NDArray[Any], grid: tuple[int, int], region: Region | None = None) -> Floats:
    """The mean of values (height, width[, channels]) over the area of each cell of a grid.

    The grid lies on a region of the values, or on all of them. Returns (rows, columns[, channels]).
    """
    rows, columns = grid
    top, left, height, width = Patches.on(values.shape[:2], grid, region).region
    down = _overlaps(values.shape[0], rows, top, height)
    across = _overlaps(values.shape[1], columns, left, width)
    # Whole numbers until the division where the region's are, so that a share of exactly one half
    # is one half.
    sums = np.einsum("rh,hw...,cw->rc...", down, values.astype(np.float64), across, optimize=True)
    return np.asarray(sums / (height * width), dtype=np.float64)


def _overlaps(pixels: int, cells: int, first: float, length: float) -> Floats:
    """How much of each pixel lies in each cell, (cells, pixels), in units of 1 / cells pixels.

    The cells part evenly a length of pixels from a first.
    """
    cell = first * cells + np.arange(cells)[:, None] * length
    pixel = np.arange(pixels)[None, :] * cells
    overlap = np.minimum(cell + length, pixel + cells) - np.maximum(cell, pixel)
    return np.asarray(np.maximum(overlap, 0), dtype=np.float64)


def why_undefined(foreground: NDArray[np.bool_]) -> str:
    """Why nothing can agree with such a foreground (n,); "" if something can."""
    if foreground.all():
        return "every patch is foreground"
    return "" if foreground.any() else "no patch is foreground"


def agreement(labels: NDArray[np.integer[Any]], foreground: NDArray[np.bool_]) -> float:
    """Adjusted mutual information of labels (n,) with the foreground (n,): 1 the same, 0 chance.

    AMI = (I − E[I]) / (mean(H₁, H₂) − E[I]), with the expectation over partitions of the same
    sizes, so that many small clusters gain nothing (Vinh, Epps and Bailey 2010, "Information
    theoretic measures for clusterings comparison", with the arithmetic mean). Unassigned patches
    are singletons. It asks whether the boundary between foreground and background is among the
    clusters' boundaries; clusters that part the foreground further lose by that. NaN where
    `why_undefined` says why. Raises InvalidLabelsError if labels are no partition of the patches.
    """
    from sklearn.metrics import adjusted_mutual_info_score

    clusters = unassigned_as_singletons(check_labels(labels, len(foreground)))
    if why_undefined(foreground):
        return float("nan")
    return float(adjusted_mutual_info_score(foreground, clusters))


def pixel_kmeans(
    pixels: NDArray[np.uint8],
    grid: tuple[int, int],
    k: int,
    seed: int,
    region: Region | None = None,
) -> Integers:
    """k-means of the patches' pixels themselves: labels (n,) of k clusters, what needs no model.

    pixels: (height, width, channels). Where patches are not whole pixels each is resampled by area
    to the nearest whole number of them. k-means++ with ten starts (Arthur and Vassilvitskii 2007).
    Where fewer than k patches differ there are as many clusters as differ. Raises HarnessError
    unless 1 ≤ k ≤ n.
    """
    from sklearn.cluster import KMeans

    _check_count(grid, k)
    rows, columns = grid
    height, width = Patches.on(pixels.shape[:2], grid, region).patch_size
    fine = (max(1, round(height)), max(1, round(width)))
    cells = area_means(pixels, (rows * fine[0], columns * fine[1]), region)
    vectors = cells.reshape(rows, fine[0], columns, fine[1], pixels.shape[2]).swapaxes(1, 2)
    vectors = vectors.reshape(rows * columns, -1)
    distinct = len(np.unique(vectors, axis=0))
    means = KMeans(min(k, distinct), n_init=10, random_state=seed)
    return np.asarray(means.fit_predict(vectors), dtype=np.int64)


def _check_count(grid: tuple[int, int], k: int) -> None:
    patches = grid[0] * grid[1]
    if not 1 <= k <= patches:
        raise HarnessError(f"{patches} patches cannot be parted into {k} clusters")
