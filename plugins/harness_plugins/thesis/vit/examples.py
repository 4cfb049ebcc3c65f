"""The images of a labelled set as one array, for training and evaluation."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from harness import HarnessError, ImageSet
from harness_plugins.thesis.vit.preprocessing import fitted


@dataclass(frozen=True, eq=False)
class Examples:
    """Images (count, channels, height, width) of bytes with their labels (count,).

    `keys` are the images' names, in order; `digest` is a SHA-256 of names, labels and decoded
    pixels, which identifies the split.
    """

    keys: tuple[str, ...]
    images: Tensor
    labels: Tensor
    digest: str

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
) -> Examples:
    """All images of a set, resized to `size` and converted to `channels` if they are given."""
    keys = images.keys()
    if not keys:
        raise HarnessError(f"{images.name}: holds no image")
    digest = hashlib.sha256()
    labels = np.empty(len(keys), dtype=np.int64)
    first = images.load(keys[0]).pixels.shape
    height, width = size or first[:2]
    depth = channels or first[2]
    pixels = np.empty((len(keys), height, width, depth), dtype=np.uint8)
    for index, key in enumerate(keys):
        image = images.load(key)
        if image.label is None or not 0 <= image.label < len(classes):
            raise HarnessError(
                f"{key}: its label {image.label} is not among {len(classes)} classes"
            )
        found = image.pixels.shape
        if (size is None and found[:2] != first[:2]) or (channels is None and found[2] != first[2]):
            raise HarnessError(
                f"{key} is {_text(found)} and {keys[0]} {_text(first)}; "
                "give a common --size and --channels"
            )
        digest.update(f"{key} {image.label} {image.digest}\n".encode())
        labels[index] = image.label
        pixels[index] = fitted(image, height, width, depth)
    tensor = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
    return Examples(tuple(keys), tensor, torch.from_numpy(labels), digest.hexdigest())


def _text(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape))
