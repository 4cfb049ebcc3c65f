"""Fashion-MNIST whole, from a folder the user has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

import harness
from harness.data import fashion_mnist, folders, splits

# Of each class's training images one in twelve is held out: 500 of 6,000.
SHARES: Mapping[splits.Split, float] = {"train": 11 / 12, "validation": 1 / 12}


@dataclass(frozen=True)
class FashionMnist(harness.LabelledImageSet):
    """Fashion-MNIST: 70,000 grey images of clothes, 28×28, in ten classes.

    Xiao, Rasul and Vollgraf 2017, MIT licence. 55,000 images for training, 5,000 for validation
    (500 of each class, of the published training images), 10,000 for tests.

    path: folder with the four IDX files, plain or gzipped; none for where `harness data fetch`
        or Debian's package dataset-fashion-mnist puts them.
    split: which images.
    count: how many, classes in turn; none for all.
    only: names of the images, if not all are wanted.
    """

    name: ClassVar[str] = "fashion-mnist"
    path: Path | None = None
    split: Literal["train", "validation", "test"] = "test"
    count: int | None = None
    only: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.count is not None and self.count < 1:
            raise harness.HarnessError(f"fashion-mnist: count must be at least 1, not {self.count}")

    def classes(self) -> Sequence[str]:
        """The ten kinds of clothes."""
        return fashion_mnist.CLASSES

    def keys(self) -> Sequence[str]:
        """Index and class, such as 00019-t-shirt, or train/00001-t-shirt for training images."""
        return splits.chosen(self.name, self._labels, self.count, self.only)

    def load(self, key: str) -> harness.Image:
        """One image with its label."""
        if key not in self._labels:
            raise harness.HarnessError(f"fashion-mnist: its {self.split} split has no {key!r}")
        index = int(key.removeprefix("train/")[:5])
        return harness.Image(key, self._read.images[index][:, :, None], self._labels[key])

    @cached_property
    def _read(self) -> fashion_mnist.LabelledImages:
        folder = folders.find(self.name, self.path)
        return fashion_mnist.load(folder, "test" if self.split == "test" else "train")

    @cached_property
    def _labels(self) -> dict[str, int]:
        """The label of each key of the split, in the order of the files."""
        prefix = "" if self.split == "test" else "train/"
        labels = {
            f"{prefix}{index:05d}-{fashion_mnist.CLASSES[label].replace(' ', '-')}": int(label)
            for index, label in enumerate(self._read.labels)
        }
        if self.split == "test":
            return labels
        dealt = splits.stratified(labels, SHARES)
        return {key: label for key, label in labels.items() if dealt[key] == self.split}


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    """The image set of this module."""
    return [FashionMnist]
