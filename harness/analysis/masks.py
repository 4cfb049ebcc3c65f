"""What is foreground on the images of a run: bright pixels, or masks that are found by name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from harness.errors import HarnessError, WrongValueError
from harness.plugin.arguments import checked_class
from harness.plugin.sources import ImageSet
from harness.plugin.values import Image

# What may be wrong with an image's mask, as a heading of those images.
Fault = Literal[
    "images without a mask",
    "masks that cannot be read",
    "masks of another size than their image",
]


class UnusableMaskError(HarnessError):
    """An image whose foreground is not known; the other images are not affected."""

    def __init__(self, fault: Fault, name: str, reason: str) -> None:
        self.fault = fault
        self.name = name
        super().__init__(reason)


@runtime_checkable
class Foreground(Protocol):
    """Defines the foreground of images."""

    def mask(self, image: Image) -> NDArray[Any]:
        """Each pixel's label, (height, width): a boolean, or an integer of which 0 is background.

        Raises UnusableMaskError if it is not known for this image.
        """


@checked_class
@dataclass(frozen=True)
class BrightnessThreshold:
    """The foreground is the pixels of grey images that are brighter than a value in 0 … 254."""

    value: int

    def __post_init__(self) -> None:
        if not 0 <= self.value <= 254:
            raise WrongValueError(
                f"foreground: expected a brightness from 0 to 254, not {self.value}"
            )

    def mask(self, image: Image) -> NDArray[Any]:
        """Which pixels (height, width) are brighter."""
        if image.pixels.shape[2] != 1:
            raise HarnessError(
                f"{image.key}: brightness defines no foreground in a colour image; use masks"
            )
        return np.asarray(image.pixels[:, :, 0] > self.value)

    def __str__(self) -> str:
        return f"pixels above {self.value}"


@dataclass(frozen=True)
class Masks:
    """The foreground is the pixels that are not black in a mask of the image's size.

    images: the masks, named like the image with .png appended, or with .png as their suffix;
    folder: what messages call them; labels: whether the grey levels of masks are labels of objects,
    as `folder[as_labels=true]` reads them, and not one foreground.
    """

    images: ImageSet
    folder: str
    labels: bool = False

    def mask(self, image: Image) -> NDArray[Any]:
        """Each pixel's label, or whether it is not black in the image's mask, (height, width)."""
        name = self._mask_of(image.key)
        if name is None:
            raise UnusableMaskError(
                "images without a mask",
                image.key,
                f"{self.folder}: there is no mask {image.key}.png for {image.key}",
            )
        try:
            pixels = self.images.load(name).pixels
        except HarnessError as error:
            raise UnusableMaskError("masks that cannot be read", name, str(error)) from error
        if self.labels and pixels.shape[2] != 1:
            raise UnusableMaskError(
                "masks that cannot be read", name, f"{name}: colours are no labels of objects"
            )
        sizes = [f"{each.shape[0]}×{each.shape[1]}" for each in (pixels, image.pixels)]
        if sizes[0] != sizes[1]:
            raise UnusableMaskError(
                "masks of another size than their image",
                name,
                f"{self.folder}: {name} is {sizes[0]} pixels, its image {sizes[1]}",
            )
        return pixels[:, :, 0] if self.labels else np.asarray(pixels.any(axis=2))

    def without_image(self, images: Iterable[str]) -> list[str]:
        """The names of the masks that belong to none of these images."""
        used = {self._mask_of(key) for key in images}
        return [name for name in self._names if name not in used]

    def _mask_of(self, image: str) -> str | None:
        names = (f"{image}.png", PurePosixPath(image or "-").with_suffix(".png").as_posix())
        return next((name for name in names if name in self._names), None)

    @cached_property
    def _names(self) -> Mapping[str, None]:
        return dict.fromkeys(self.images.keys())

    def __str__(self) -> str:
        return f"{'label masks' if self.labels else 'masks'} in {self.folder}"
