"""Random changes of training images that preserve their classes."""

import torch
from torch import Tensor
from torch.nn import functional


def flipped_and_shifted(images: Tensor, pixels: int, generator: torch.Generator) -> Tensor:
    """Flip each image (count, channels, height, width) with probability ½, and shift it.

    The shift is up to `pixels` along either axis; uncovered pixels are black.
    """
    count, _, height, width = images.shape
    flips = torch.rand(count, generator=generator) < 0.5
    images = torch.where(flips[:, None, None, None], images.flip(3), images)
    if not pixels:
        return images
    padded = functional.pad(images, (pixels,) * 4)
    down, right = torch.randint(0, 2 * pixels + 1, (2, count), generator=generator)
    rows = down[:, None] + torch.arange(height)
    columns = right[:, None] + torch.arange(width)
    # Index arrays on both sides of a slice put their axes first.
    moved = padded[torch.arange(count)[:, None, None], :, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)
