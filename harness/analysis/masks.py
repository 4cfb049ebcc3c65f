"""What of an image is its foreground: bright pixels, or a mask that somebody drew."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError
from harness.plugin.base import ImageSet
from harness.plugin.values import Image


class Foreground(Protocol):
    """Tells the foreground of images."""

    def mask(self, image: Image) -> NDArray[np.bool_]:
        """Which pixels (height, width) are foreground.

        Raises HarnessError if that cannot be told of the image.
        """


@dataclass(frozen=True)
class BrightnessThreshold:
    """The pixels of grey images that are brighter than a value in 0 … 254."""

    value: int

    def __post_init__(self) -> None:
        if not 0 <= self.value <= 254:
            raise HarnessError(f"foreground: a brightness of 0 … 254 is wanted, not {self.value}")

    def mask(self, image: Image) -> NDArray[np.bool_]:
        """Which pixels (height, width) are brighter."""
        if image.pixels.shape[2] != 1:
            raise HarnessError(
                f"{image.key}: of an image in colour, brightness tells no foreground; give masks"
            )
        return np.asarray(image.pixels[:, :, 0] > self.value)

    def __str__(self) -> str:
        return f"pixels above {self.value}"


@dataclass(frozen=True)
class Masks:
    """The pixels that are not black in a mask of the image's size.

    images: the masks; an image's mask is called like it with .png appended, or in place of its
    suffix. place: where they lie.
    """

    images: ImageSet
    place: str

    def mask(self, image: Image) -> NDArray[np.bool_]:
        """Which pixels (height, width) the image's mask holds."""
        names = (f"{image.key}.png", PurePosixPath(image.key or "-").with_suffix(".png").as_posix())
        found = next((name for name in names if name in self._keys), None)
        if found is None:
            raise HarnessError(f"{self.place}: there is no mask {names[0]} for {image.key}")
        pixels = self.images.load(found).pixels
        if pixels.shape[:2] != image.pixels.shape[:2]:
            raise HarnessError(
                f"{self.place}: {found} is {pixels.shape[0]}×{pixels.shape[1]} pixels, its image "
                f"{image.pixels.shape[0]}×{image.pixels.shape[1]}"
            )
        return np.asarray(pixels.any(axis=2))

    @cached_property
    def _keys(self) -> Mapping[str, None]:
        return dict.fromkeys(self.images.keys())

    def __str__(self) -> str:
        return f"masks in {self.place}"
