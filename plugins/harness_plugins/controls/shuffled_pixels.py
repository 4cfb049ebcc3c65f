"""The image's own pixels without their arrangement."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class ShuffledPixels(harness.ImageControl):
    """The same image with its pixels in random order.

    A pixel's channels stay together: every colour occurs as often as in the image. Destroys
    every relation between pixels.
    """

    name: ClassVar[str] = "shuffled-pixels"

    def draw(self, image: harness.Image, seed: int) -> harness.Image:
        """An image (height, width, channels) of the same pixels."""
        pixels = image.pixels.reshape(-1, image.pixels.shape[2])
        shuffled = np.random.default_rng(seed).permutation(pixels, axis=0)
        return replace(image, pixels=shuffled.reshape(image.pixels.shape))


@harness.hookimpl
def harness_controls() -> list[type[harness.ImageControl]]:
    return [ShuffledPixels]
