"""CIFAR-10, the binary version."""

from dataclasses import dataclass
from typing import ClassVar

import harness
from harness_plugins.datasets import cifar10
from harness_plugins.datasets.splits import Half
from harness_plugins.image_sets.published import Arrays, PublishedArrays


@dataclass(frozen=True)
class Cifar10(PublishedArrays):
    """CIFAR-10: 60,000 colour images of 32×32 in ten classes.

    Krizhevsky 2009. Only the binary version is read: the Python version is pickles. The 10,000
    test images are as published; 500 training images of each class are the validation split.
    """

    name: ClassVar[str] = "cifar10"
    class_names: ClassVar[tuple[str, ...]] = cifar10.CLASSES
    validation: ClassVar[float] = 1 / 10

    def read(self, half: Half) -> Arrays:
        """32×32, RGB."""
        return cifar10.load(self.folder, half)


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    return [Cifar10]
