"""Where the patches of a map lie on its image.

Regions are in pixels of the image at its own size; (0, 0) is the corner at the upper left.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)
# Top, left, height and width.
Region = tuple[float, float, float, float]
# Pixels by which a region may exceed its image: edges that were scaled are seldom exact.
ROUNDING = 1e-3


def checked_region(region: Sequence[float]) -> Region:
    """Return top, left, height and width as floats; raise ValueError if they are no region."""
    try:
        top, left, height, width = map(float, region)
    except (TypeError, ValueError) as error:
        raise ValueError(f"a region is (top, left, height, width), not {region!r}") from error
    found = top, left, height, width
    if not all(map(math.isfinite, found)) or min(height, width) <= 0:
        raise ValueError(
            f"a region must be finite, its height and width more than 0, not {described(found)}"
        )
    return found


def lies_within(region: Region, height: int, width: int) -> bool:
    """Whether a region lies within an image of that size, up to rounding."""
    top, left, high, wide = region
    return (
        min(top, left) >= -ROUNDING
        and top + high <= height + ROUNDING
        and left + wide <= width + ROUNDING
    )


def described(region: Region) -> str:
    """The region in words."""
    top, left, height, width = region
    return f"{height:.6g}×{width:.6g} pixels from ({top:.6g}, {left:.6g})"


@dataclass(frozen=True)
class Patches:
    """The patches of a grid that divides a region of an image evenly, numbered row by row.

    Parameters
    ----------
    grid : tuple of int
        Rows and columns of patches; patch 0 is at the upper left, patch 1 to its right.
    region : tuple of float
        Top, left, height and width of the whole grid, in pixels of the image; (0, 0) is its upper
        left corner.

    Examples
    --------
    >>> harness.Patches(grid=(14, 14), region=(0, 0, 224, 224)).patch_size
    (16.0, 16.0)
    """

    grid: tuple[int, int]
    region: Region

    @classmethod
    def on(cls, size: tuple[int, int], grid: tuple[int, int], region: Region | None) -> Self:
        """The patches on an image of a size (height, width), all of it if the region is None."""
        return cls(grid, region or (0.0, 0.0, float(size[0]), float(size[1])))

    @property
    def patch_size(self) -> tuple[float, float]:
        """Height and width of a patch."""
        return self.region[2] / self.grid[0], self.region[3] / self.grid[1]

    def region_of(self, patch: int) -> Region:
        """The region of one patch."""
        row, column = divmod(patch, self.grid[1])
        height, width = self.patch_size
        return self.region[0] + row * height, self.region[1] + column * width, height, width


def crop(pixels: NDArray[Scalar], region: Region) -> NDArray[Scalar]:
    """The pixels (height, width, …) whose centre lies in a region; at least one."""
    rows, columns = (
        _within(count, region[axis], region[axis + 2])
        for axis, count in enumerate(pixels.shape[:2])
    )
    return pixels[rows, columns]


def _within(count: int, first: float, length: float) -> slice:
    start = min(max(0, math.ceil(first - 0.5)), count - 1)
    return slice(start, max(start + 1, math.ceil(first + length - 0.5)))


def without_prefix(maps: NDArray[np.floating[Any]], count: int) -> NDArray[np.floating[Any]]:
    """Return the attention between patches, without the tokens before them.

    Parameters
    ----------
    maps : ndarray of float, shape (…, tokens, tokens)
        Attention between all tokens.
    count
        The number of tokens before the patches, such as 1 for a class token.

    Returns
    -------
    ndarray of float, shape (…, patches, patches)
        Each row is rescaled to sum to one; a row without attention to patches stays 0.

    Examples
    --------
    >>> harness.without_prefix(np.array([[0.5, 0.5, 0.0], [0.5, 0.25, 0.25], [0.0, 0.0, 1.0]]), 1)
    array([[0.5, 0.5],
           [0. , 1. ]])
    """
    if not count:
        return maps
    patches = maps[..., count:, count:]
    left = patches.sum(axis=-1, keepdims=True)
    return np.asarray(patches / np.where(left > 0, left, 1))
