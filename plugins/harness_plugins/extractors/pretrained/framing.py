"""Where on an image the patches lie that a model is shown, after scaling and cutting."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import harness

if TYPE_CHECKING:
    from torch import Tensor

# One map of so many takes 4 GiB; refused before the pixels, too, would fill the memory.
MOST_PATCHES = 1 << 15

Region = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Prepared:
    """pixels (1, channels, height, width) as the model takes them, and where they lie.

    grid: rows and columns of whole patches; region: their (top, left, height, width) in pixels of
    the image.
    """

    pixels: "Tensor"
    grid: tuple[int, int]
    region: Region


@dataclass(frozen=True, eq=False)
class Cut:
    """pixels (channels, height, width), cut out of an image that was scaled before.

    scaled: its (height, width) then; start: (top, left) of the pixels in it.
    """

    pixels: NDArray[np.float32]
    scaled: tuple[int, int]
    start: tuple[int, int] = (0, 0)


def framed(image: harness.Image, cut: Cut, patch: tuple[int, int]) -> Prepared:
    """What was cut out of an image, with the patches (height, width) that it holds.

    Raises HarnessError if they are less than two.
    """
    import torch

    height, width = cut.pixels.shape[1:]
    grid = (height // patch[0], width // patch[1])
    if grid[0] * grid[1] < 2:
        raise harness.HarnessError(
            f"{image.key}: {height}×{width} pixels hold "
            f"{grid[0]}×{grid[1]} patches of {patch[0]}×{patch[1]}"
        )
    # Pixels of the image in one of the scaled.
    down, across = (image.pixels.shape[side] / cut.scaled[side] for side in (0, 1))
    region = (
        cut.start[0] * down,
        cut.start[1] * across,
        grid[0] * patch[0] * down,
        grid[1] * patch[1] * across,
    )
    return Prepared(torch.from_numpy(cut.pixels)[None], grid, region)


def asked_size(
    image: tuple[int, ...], size: tuple[int, ...], patch: tuple[int, int]
) -> tuple[int, int]:
    """Height and width in whole patches: as asked for, or with the image's own aspect.

    Raises ValueError if they are too many.
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
