"""The shipped sample of Fashion-MNIST."""

import csv
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

import harness
from harness_plugins.datasets import idx
from harness_plugins.datasets.fashion_mnist import CLASSES
from harness_plugins.parameters import check_bounds

FOLDER = "fashion_mnist_sample_data"
SIZE = 100


@dataclass(frozen=True)
class FashionMnistSample(harness.ImageSet):
    """Fashion-MNIST test images that come with the harness: grey, 28×28, labelled.

    The first ten of each class, with the classes in turn: ten consecutive images have all classes.
    Xiao, Rasul and Vollgraf 2017, MIT licence.

    Parameters
    ----------
    count
        number of images, at most 100.
    """

    name: ClassVar[str] = "fashion-mnist-sample"
    count: int = 16

    def __post_init__(self) -> None:
        check_bounds(self, "count", least=1, most=SIZE)

    def classes(self) -> Sequence[str]:
        """The names that labels index."""
        return CLASSES

    def keys(self) -> Sequence[str]:
        """Index in the test set and class, such as 00000-ankle-boot."""
        return list(self._labels)[: self.count]

    def load(self, key: str) -> harness.Image:
        """One image with its label."""
        keys = self.keys()
        if key not in keys:
            raise harness.HarnessError(f"fashion-mnist-sample: there is no image {key!r}")
        pixels = self._images[keys.index(key)][:, :, None]
        return harness.Image(key, pixels, self._labels[key])

    @cached_property
    def _labels(self) -> dict[str, int]:
        text = files(__package__).joinpath(FOLDER, "sample.csv").read_text("utf-8")
        rows = [(int(row["index"]), int(row["label"])) for row in csv.DictReader(text.splitlines())]
        return {f"{index:05d}-{CLASSES[label].replace(' ', '-')}": label for index, label in rows}

    @cached_property
    def _images(self) -> NDArray[np.uint8]:
        content = files(__package__).joinpath(FOLDER, "images-idx3-ubyte.gz").read_bytes()
        return idx.parse(gzip.decompress(content), self.name)


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    return [FashionMnistSample]
