"""Random changes of training images that leave their classes as they are."""

import torch
from torch import Tensor
from torch.nn import functional


def flipped_and_shifted(images: Tensor, pixels: int, generator: torch.Generator) -> Tensor:
    """Each image (count, channels, height, width) flipped left to right half the time, and moved
    by up to `pixels` along either axis, with black where nothing moves in.
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
    # Indices that are apart put what they choose before the channels.
    moved = padded[torch.arange(count)[:, None, None], :, rows[:, :, None], columns[:, None, :]]
    return moved.permute(0, 3, 1, 2)
