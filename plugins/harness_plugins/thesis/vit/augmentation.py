"""Random changes of training images that preserve their classes."""

import torch
from torch import Tensor


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


def _overlap(size: int, shift: int) -> tuple[slice, slice]:
    """Where the pixels that a shift leaves on the image go, and where they come from."""
    ahead, behind = max(0, shift), max(0, -shift)
    return slice(behind, size - ahead), slice(ahead, size - behind)
