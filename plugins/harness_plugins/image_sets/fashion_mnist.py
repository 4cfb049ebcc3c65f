"""The whole of Fashion-MNIST."""

from dataclasses import dataclass
from typing import ClassVar

import harness
from harness_plugins.datasets import fashion_mnist
from harness_plugins.datasets.splits import Half
from harness_plugins.image_sets.published import Arrays, PublishedArrays


@dataclass(frozen=True)
class FashionMnist(PublishedArrays):
    """Fashion-MNIST: 70,000 grey 28×28 images of clothes in ten classes.

    Xiao, Rasul and Vollgraf 2017, MIT licence. The 10,000 test images are as published; 500
    training images of each class are the validation split.
    """

    name: ClassVar[str] = "fashion-mnist"
    class_names: ClassVar[tuple[str, ...]] = fashion_mnist.CLASSES
    validation: ClassVar[float] = 1 / 12

    def read(self, half: Half) -> Arrays:
        """28×28, one channel."""
        images, labels = fashion_mnist.load(self.folder, half)
        return images[:, :, :, None], labels


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    return [FashionMnist]
