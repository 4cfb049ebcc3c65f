"""Fashion-MNIST, all of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import harness
from harness_plugins.datasets import fashion_mnist
from harness_plugins.datasets.splits import Half
from harness_plugins.image_sets.published_arrays import Arrays, PublishedArrays


@dataclass(frozen=True)
class FashionMnist(PublishedArrays):
    """Fashion-MNIST: 70,000 grey 28×28 images of clothes in ten classes.

    Xiao, Rasul and Vollgraf 2017, MIT licence. 10,000 test images as published; of the 60,000
    others 500 a class are the validation split.
    """

    name: ClassVar[str] = "fashion-mnist"
    validation: ClassVar[float] = 1 / 12

    def classes(self) -> Sequence[str]:
        """T-shirt … ankle boot."""
        return fashion_mnist.CLASSES

    def read(self, half: Half) -> Arrays:
        """28×28, one channel."""
        data = fashion_mnist.load(self.folder, half)
        return data.images[:, :, :, None], data.labels


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    return [FashionMnist]
