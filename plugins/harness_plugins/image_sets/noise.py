"""Noise as an image set, for runs without anything to find."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness
from harness_plugins.parameters import check_bounds

PREFIX = "noise-"


@dataclass(frozen=True)
class Noise(harness.ImageSet):
    """Images of uniform noise, in which there is nothing to find.

    Parameters
    ----------
    count
        number of images.
    height
        in pixels.
    width
        in pixels.
    channels
        1 for grey, 3 for RGB.
    seed
        of the whole set; each image has its own random stream.
    """

    name: ClassVar[str] = "noise"
    count: int = 16
    height: int = 28
    width: int = 28
    channels: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        check_bounds(self, "count", least=1, most=1_000_000)
        check_bounds(self, "height", "width", least=1, most=10_000)
        check_bounds(self, "seed", least=0)
        if self.channels not in (1, 3):
            raise harness.HarnessError(f"noise: channels must be 1 or 3, not {self.channels}")

    def keys(self) -> Sequence[str]:
        """noise-0000, noise-0001, …"""
        return [_key(index) for index in range(self.count)]

    def load(self, key: str) -> harness.Image:
        """One image; it does not depend on the set's count."""
        number = key.removeprefix(PREFIX)
        if not (number.isdecimal() and int(number) < self.count and key == _key(int(number))):
            raise harness.HarnessError(f"noise: there is no image {key!r}")
        stream = np.random.SeedSequence([self.seed, int(number)])
        shape = (self.height, self.width, self.channels)
        pixels = np.random.default_rng(stream).integers(0, 256, shape, dtype=np.uint8)
        return harness.Image(key, pixels)


def _key(index: int) -> str:
    return f"{PREFIX}{index:04d}"


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    return [Noise]
