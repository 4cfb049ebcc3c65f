"""The images of a labelled set as one array, for training and evaluation."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from harness import HarnessError, Image, ImageSet
from harness.command import SILENT, Progress
from harness_plugins.thesis.vit.memory import allocating, check_fits
from harness_plugins.thesis.vit.preprocessing import fitted


@dataclass(frozen=True, eq=False)
class Examples:
    """Images (count, channels, height, width) of bytes with their labels (count,).

    `keys` are the images' names, in order; `digest` is a SHA-256 of names, labels and decoded
    pixels, which identifies the split; `left_out` are the images that cannot be read, with the
    reasons.
    """

    keys: tuple[str, ...]
    images: Tensor
    labels: Tensor
    digest: str
    left_out: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of every image."""
        _, channels, height, width = self.images.shape
        return height, width, channels


def gather(
    images: ImageSet,
    classes: Sequence[str],
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    progress: Progress = SILENT,
) -> Examples:
    """The images of a set, resized to `size` and converted to `channels` if they are given.

    An image that cannot be read is left out, with its reason.
    """
    keys = images.keys()
    digest = hashlib.sha256()
    labels: dict[str, int] = {}
    left_out: dict[str, str] = {}
    first = first_readable(images)
    height, width, depth = shape_of(first, size, channels)
    pixels = _allocated((len(keys), depth, height, width))
    for key in progress.track(f"reading images of {images.name}", keys):
        try:
            image = images.load(key)
        except HarnessError as error:
            left_out[key] = str(error).removeprefix(f"{key}: ")
            continue
        if image.label is None or not 0 <= image.label < len(classes):
            raise HarnessError(
                f"{key}: its label {image.label} is not among {len(classes)} classes"
            )
        if shape_of(image, size, channels) != (height, width, depth):
            raise HarnessError(
                f"{key} is {_text(image)} and {first.key} {_text(first)}; "
                "give a common --size and --channels"
            )
        digest.update(f"{key} {image.label} {image.digest}\n".encode())
        pixels[len(labels)] = fitted(image, height, width, depth).transpose(2, 0, 1)
        labels[key] = image.label
    return Examples(
        tuple(labels),
        torch.from_numpy(pixels[: len(labels)]),
        torch.tensor(list(labels.values()), dtype=torch.int64),
        digest.hexdigest(),
        left_out,
    )


def first_readable(images: ImageSet) -> Image:
    """The first image of a set that can be read."""
    problem = "holds no image"
    for key in images.keys():
        try:
            return images.load(key)
        except HarnessError as error:
            problem = f"none of its images can be read; the last, {error}"
    raise HarnessError(f"{images.name}: {problem}")


def shape_of(
    image: Image, size: tuple[int, int] | None, channels: int | None
) -> tuple[int, int, int]:
    """Height, width and channels of an image that is resized and converted to what is given."""
    height, width, depth = image.pixels.shape
    return (*(size or (height, width)), channels or depth)


def _allocated(shape: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    count, channels, height, width = shape
    what = f"{count} images of {height}×{width}×{channels}"
    advice = "take a smaller --size, or fewer images"
    check_fits(math.prod(shape), what, advice)
    with allocating(what, advice):
        return np.empty(shape, dtype=np.uint8)


def _text(image: Image) -> str:
    return "×".join(map(str, image.pixels.shape))
