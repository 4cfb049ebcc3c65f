"""The image's pixels in random order."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class ShuffledPixels(harness.ImageControl):
    """The same image with its pixels in random order.

    A pixel's channels stay together, so every colour occurs as often as in the image. Destroys all
    relations between pixels.
    """

    name: ClassVar[str] = "shuffled-pixels"

    def draw(self, image: harness.Image, *, seed: int) -> harness.Image:
        """An image (height, width, channels) with the same pixels."""
        pixels = image.pixels.reshape(-1, image.pixels.shape[2])
        shuffled = np.random.default_rng(seed).permutation(pixels, axis=0)
        return replace(image, pixels=shuffled.reshape(image.pixels.shape))


@harness.hookimpl
def harness_controls() -> list[type[harness.ImageControl]]:
    return [ShuffledPixels]
