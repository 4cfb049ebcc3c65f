"""Fashion-MNIST, all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

import harness
from harness.data import fashion_mnist, splits
from harness_plugins.image_sets.labelled import PublishedSet

# 500 of the 6,000 of each class.
HELD_OUT: Mapping[harness.Split, float] = {"validation": 1 / 12}


@dataclass(frozen=True)
class FashionMnist(PublishedSet):
    """Fashion-MNIST: 70,000 grey 28×28 images of clothes in ten classes.

    Xiao, Rasul and Vollgraf 2017, MIT licence. 10,000 test images as published; of the 60,000
    others 500 a class are the validation split. Keys are index and class, such as
    00019-t-shirt, with train/ before them if they are of the 60,000.
    """

    name: ClassVar[str] = "fashion-mnist"

    def classes(self) -> Sequence[str]:
        """T-shirt … ankle boot."""
        return fashion_mnist.CLASSES

    def labels(self, split: harness.Split) -> Mapping[str, int]:
        """In the order of the files."""
        if split == "test":
            return _labels(self._read("test"), "")
        whole = _labels(self._read("train"), "train/")
        return {key: whole[key] for key in splits.stratified(whole, HELD_OUT)[split]}

    def pixels(self, key: str) -> NDArray[np.uint8]:
        """28×28, one channel."""
        return self._images[int(key.removeprefix("train/")[:5]), :, :, None]

    @cached_property
    def _images(self) -> NDArray[np.uint8]:
        return self._read("test" if self.split == "test" else "train").images

    def _read(self, half: fashion_mnist.Split) -> fashion_mnist.LabelledImages:
        if half not in self._halves:
            self._halves[half] = fashion_mnist.load(self.folder, half)
        return self._halves[half]

    @cached_property
    def _halves(self) -> dict[fashion_mnist.Split, fashion_mnist.LabelledImages]:
        """What was read, so that a file is decoded once."""
        return {}


def _labels(data: fashion_mnist.LabelledImages, prefix: str) -> dict[str, int]:
    return {
        f"{prefix}{index:05d}-{fashion_mnist.CLASSES[label].replace(' ', '-')}": label
        for index, label in enumerate(data.labels.tolist())
    }


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    """The image set of this module."""
    return [FashionMnist]
