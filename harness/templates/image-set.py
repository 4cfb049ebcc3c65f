"""my-method: an image set."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class MyMethod(harness.ImageSet):
    """Grey images of 28×28 pixels, each with a bright square somewhere.

    Parameters
    ----------
    count
        Number of images.
    """

    name: ClassVar[str] = "my-method"
    count: int = 8

    def keys(self) -> Sequence[str]:
        """The names of the images, in a fixed order."""
        return [f"square-{number:03d}" for number in range(self.count)]

    def load(self, key: str) -> harness.Image:
        """The image of that name."""
        random = np.random.default_rng(self.keys().index(key))
        pixels = random.integers(0, 64, (28, 28, 1), dtype=np.uint8)
        top, left = random.integers(0, 18, 2)
        pixels[top : top + 10, left : left + 10] += 128
        return harness.Image(key, pixels)


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    """The image set of this module."""
    return [MyMethod]
