"""The thesis' random image: uniform noise."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class UniformNoise(harness.ImageControl):
    """An image of uniform noise with the same size and channels.

    Every pixel of every channel is drawn uniformly from 0 … 255: the random image of the thesis
    "On the Role of Attention Maps in Visual Transformers" (2024), section 4.
    """

    name: ClassVar[str] = "uniform-noise"

    def draw(self, image: harness.Image, *, seed: int) -> harness.Image:
        """Noise (height, width, channels) from the seed."""
        pixels = np.random.default_rng(seed).integers(0, 256, image.pixels.shape, dtype=np.uint8)
        return harness.Image(image.key, pixels, image.label, image.variant)


@harness.hookimpl
def harness_controls() -> list[type[harness.ImageControl]]:
    return [UniformNoise]
