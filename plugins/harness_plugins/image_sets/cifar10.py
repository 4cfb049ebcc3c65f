"""CIFAR-10, the binary version."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import harness
from harness_plugins.datasets import cifar10
from harness_plugins.datasets.splits import Half
from harness_plugins.image_sets.published_arrays import Arrays, PublishedArrays


@dataclass(frozen=True)
class Cifar10(PublishedArrays):
    """CIFAR-10: 60,000 colour images of 32×32 in ten classes.

    Krizhevsky 2009. The binary version only: the Python version is pickles. 10,000 test images
    as published; of the 50,000 others 500 a class are the validation split.
    """

    name: ClassVar[str] = "cifar10"
    validation: ClassVar[float] = 1 / 10

    def classes(self) -> Sequence[str]:
        """Airplane … truck."""
        return cifar10.CLASSES

    def read(self, half: Half) -> Arrays:
        """32×32, RGB."""
        return cifar10.load(self.folder, half)


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    return [Cifar10]
