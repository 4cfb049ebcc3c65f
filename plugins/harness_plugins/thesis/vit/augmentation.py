"""Random changes of training images that preserve their classes."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

# Images that are changed as floats at a time, so that memory is used again.
AT_ONCE = 16
# The widest and the narrowest crop, as width by height.
WIDEST = 4 / 3


def flipped_and_shifted(images: Tensor, pixels: int, generator: torch.Generator) -> Tensor:
    """Flip each image (count, channels, height, width) with probability ½, and shift it.

    The shift is up to `pixels` along either axis; uncovered pixels are black.
    """
    count, _, height, width = images.shape
    flips = torch.rand(count, generator=generator) < 0.5
    shifts = torch.zeros((2, count), dtype=torch.int64)
    if pixels:
        shifts = torch.randint(0, 2 * pixels + 1, (2, count), generator=generator) - pixels
    changed = torch.zeros_like(images)
    # A copy of a rectangle is much quicker than an index for each pixel.
    for image, target, flip, down, right in zip(
        images, changed, flips.tolist(), *shifts.tolist(), strict=True
    ):
        rows, rows_from = _overlap(height, down)
        columns, columns_from = _overlap(width, right)
        source = image.flip(2) if flip else image
        target[:, rows, columns] = source[:, rows_from, columns_from]
    return changed


def flipped_and_cropped(images: Tensor, least: float, generator: torch.Generator) -> Tensor:
    """Flip each image (count, channels, height, width) with probability ½, and crop it.

    A crop has from `least` to all of the image's area, is from ¾ to 4/3 as wide as high for a
    square image, and is enlarged to the image's size (Szegedy et al. 2015, section 6).
    """
    count = len(images)
    flips = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    area = least + (1 - least) * torch.rand(count, generator=generator)
    ratio = torch.exp(math.log(WIDEST) * _between(1, count, generator))
    # Where one side is cut to the image's, the other keeps the least area.
    width, height = (each.sqrt().clamp(least, 1) for each in (area * ratio, area / ratio))
    places = torch.zeros(count, 2, 3)
    places[:, 0, 0], places[:, 1, 1] = width * flips, height
    places[:, 0, 2] = (1 - width) * _between(1, count, generator)
    places[:, 1, 2] = (1 - height) * _between(1, count, generator)

    def crop(some: Tensor, where: Tensor) -> Tensor:
        grid = functional.affine_grid(where, list(some.shape), align_corners=False)
        return functional.grid_sample(some, grid, padding_mode="border", align_corners=False)

    return _changed(images, places, crop)


def recoloured(images: Tensor, strength: float, generator: torch.Generator) -> Tensor:
    """Change brightness, contrast and saturation of each image (count, channels, height, width).

    Each is multiplied by a factor between 1 − strength and 1 + strength; contrast is that to the
    image's mean, saturation that of a pixel to its own mean over channels.
    """
    factors = 1 + strength * _between(3, len(images), generator)

    def recolour(some: Tensor, factor: Tensor) -> Tensor:
        brightness, contrast, saturation = factor.T[..., None, None, None]
        some = some * brightness
        for dimensions, change in (((1, 2, 3), contrast), ((1,), saturation)):
            mean = some.mean(dimensions, keepdim=True)
            some = mean + (some - mean) * change
        return some

    return _changed(images, factors.T, recolour)


def _changed(
    images: Tensor, parameters: Tensor, change: Callable[[Tensor, Tensor], Tensor]
) -> Tensor:
    """The images as bytes, changed as floats, each by its own row of parameters."""
    parts = zip(torch.split(images, AT_ONCE), torch.split(parameters, AT_ONCE), strict=True)
    changed = (change(some.float(), each) for some, each in parts)
    return torch.cat([each.round_().clamp_(0, 255).to(torch.uint8) for each in changed])


def _between(rows: int, count: int, generator: torch.Generator) -> Tensor:
    """Numbers between −1 and 1, (rows, count), or (count,) for one row."""
    return (2 * torch.rand(rows, count, generator=generator) - 1).squeeze(0)


def _overlap(size: int, shift: int) -> tuple[slice, slice]:
    """Where the pixels that a shift leaves on the image go, and where they come from."""
    ahead, behind = max(0, shift), max(0, -shift)
    return slice(behind, size - ahead), slice(ahead, size - behind)
