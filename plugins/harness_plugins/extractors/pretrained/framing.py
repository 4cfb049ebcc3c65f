"""The region of an image that the patches cover after scaling and cropping."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

import harness
from harness_plugins.extractors.pretrained.reasons import first_line
from harness_plugins.thesis.vit.preprocessing import fitted

if TYPE_CHECKING:
    from torch import Tensor

# One map of so many patches takes 4 GiB; refused before the pixels fill the memory.
MOST_PATCHES = 1 << 15

Region = tuple[float, float, float, float]
# Pixels (channels, height, width) cropped from a scaled image, the size (height, width) of the
# scaled image, and the (top, left) of the crop in it.
Cropped = tuple[NDArray[np.float32], tuple[int, int], tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Prepared:
    """An image's pixels (1, channels, height, width) as the model takes them.

    grid: rows and columns of whole patches; region: their (top, left, height, width) in pixels of
    the image.
    """

    pixels: "Tensor"
    grid: tuple[int, int]
    region: Region

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the pixels."""
        return tuple(self.pixels.shape)


def prepared(
    image: harness.Image,
    channels: int,
    patch: tuple[int, int],
    size: tuple[int, ...] | None,
    crop: Callable[[NDArray[np.uint8], tuple[int, int] | None], Cropped],
) -> Prepared:
    """The whole patches (height, width) in what `crop` leaves of an image, grey or RGB.

    size: asked for, if any; `crop` is given it in whole patches.
    """
    import torch

    try:
        height, width, _ = image.pixels.shape
        asked = None if size is None else asked_size((height, width), size, patch)
        # Converted to grey or RGB; the size stays.
        pixels, scaled, start = crop(fitted(image, height, width, channels), asked)
    except Exception as error:  # processors raise many types for unsuitable images
        raise harness.HarnessError(
            f"{image.key}: cannot be prepared for the model: {first_line(error)}"
        ) from error
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
    """Height and width in whole patches: as given, or with the image's aspect ratio."""
    height, width = image if len(size) == 1 else size
    scale = size[0] / min(height, width) if len(size) == 1 else 1
    rows = max(1, round(height * scale / patch[0]))
    columns = max(1, round(width * scale / patch[1]))
    if rows * columns > MOST_PATCHES:
        raise ValueError(
            f"{rows}×{columns} patches are more than {MOST_PATCHES}; give a smaller size"
        )
    return rows * patch[0], columns * patch[1]
