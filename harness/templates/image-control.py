"""my-method: a control of images."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class MyMethod(harness.ImageControl):
    """An image whose every pixel is drawn from all pixels of the image."""

    name: ClassVar[str] = "my-method"

    def draw(self, image: harness.Image, *, seed: int) -> harness.Image:
        """An image (height, width, channels) of the same colours."""
        pixels = image.pixels.reshape(-1, image.pixels.shape[2])
        drawn = np.random.default_rng(seed).choice(pixels, size=len(pixels))
        return replace(image, pixels=drawn.reshape(image.pixels.shape))


@harness.hookimpl
def harness_controls() -> list[type[harness.ImageControl]]:
    """The control of this module."""
    return [MyMethod]
