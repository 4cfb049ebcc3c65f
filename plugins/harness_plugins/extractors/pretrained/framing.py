"""The region of an image that the patches cover after scaling and cropping."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import harness

if TYPE_CHECKING:
    from torch import Tensor

# One map of so many patches takes 4 GiB; refused before the pixels fill the memory.
MOST_PATCHES = 1 << 15

Region = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Prepared:
    """An image's pixels (1, channels, height, width) as the model takes them.

    grid: rows and columns of whole patches; region: their (top, left, height, width) in pixels of
    the image.
    """

    pixels: "Tensor"
    grid: tuple[int, int]
    region: Region


def framed(
    image: harness.Image,
    pixels: NDArray[np.float32],
    scaled: tuple[int, int],
    start: tuple[int, int],
    patch: tuple[int, int],
) -> Prepared:
    """The whole patches (height, width) in pixels (channels, height, width) cropped from an image.

    scaled: (height, width) of the scaled image; start: (top, left) of the crop in it.
    """
    import torch

    height, width = pixels.shape[1:]
    grid = (height // patch[0], width // patch[1])
    if grid[0] * grid[1] < 2:
        raise harness.HarnessError(
            f"{image.key}: {height}×{width} pixels hold "
            f"{grid[0]}×{grid[1]} patches of {patch[0]}×{patch[1]}"
        )
    # Image pixels per pixel of the scaled image.
    down, across = (image.pixels.shape[side] / scaled[side] for side in (0, 1))
    region = (
        start[0] * down,
        start[1] * across,
        grid[0] * patch[0] * down,
        grid[1] * patch[1] * across,
    )
    return Prepared(torch.from_numpy(pixels)[None], grid, region)


def asked_size(
    image: tuple[int, ...], size: tuple[int, ...], patch: tuple[int, int]
) -> tuple[int, int]:
    """Height and width, rounded to whole patches: as given, or with the image's aspect ratio.

    Raises ValueError if there are too many patches.
    """
    height, width = image if len(size) == 1 else size
    scale = size[0] / min(height, width) if len(size) == 1 else 1
    rows = max(1, round(height * scale / patch[0]))
    columns = max(1, round(width * scale / patch[1]))
    if rows * columns > MOST_PATCHES:
        raise ValueError(
            f"{rows}×{columns} patches are more than {MOST_PATCHES}; give a smaller size"
        )
    return rows * patch[0], columns * patch[1]
