"""The published, labelled image sets: where their files are, which split, which images."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from harness import Split
from harness_plugins.datasets import folders, pictures, splits
from harness_plugins.datasets.class_folders import LabelledPicture
from harness_plugins.datasets.splits import Half
from harness_plugins.image_sets.labelled import LabelledSet

Arrays = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True)
class PublishedSet(LabelledSet):
    """A labelled set that `harness data` knows by its name.

    Parameters
    ----------
    path
        folder with its files; none: where `harness data fetch` puts them.
    split
        train, validation or test.
    count
        number of images, taking the classes in turn; none: all.
    only
        just the images with these keys, in this order.
    """

    class_names: ClassVar[tuple[str, ...]]
    split: Split = "test"

    @abstractmethod
    def labels(self, split: Split) -> Mapping[str, int]:
        """The class of every key of a split; `count` takes the first keys of each class."""

    def split_labels(self) -> Mapping[str, int]:
        """Those of the chosen split."""
        return self.labels(self.split)

    @cached_property
    def folder(self) -> Path:
        """The folder with the files."""
        return folders.find(self.name, self.path)

    def classes(self) -> Sequence[str]:
        """The names of the classes."""
        return self.class_names


@dataclass(frozen=True)
class PublishedArrays(PublishedSet):
    """A set published as files of training and test images, which are decoded once.

    Part of the training images is the validation split. Keys are index and class, such as
    00019-t-shirt, with train/ in front if the image is in the training files.
    """

    # The fraction of each class of the training images that is held out.
    validation: ClassVar[float]

    @abstractmethod
    def read(self, half: Half) -> Arrays:
        """Images (count, height, width, 1 or 3) and labels (count,)."""

    def labels(self, split: Split) -> Mapping[str, int]:
        """In the order of the files."""
        if split == "test":
            return self._named("test", "")
        whole = self._named("train", "train/")
        split_of = splits.stratified(
            whole, {"train": 1 - self.validation, "validation": self.validation}
        )
        return {key: label for key, label in whole.items() if split_of[key] == split}

    def pixels(self, key: str) -> NDArray[np.uint8]:
        """A view of the decoded array."""
        images, _ = self._read("test" if self.split == "test" else "train")
        pixels: NDArray[np.uint8] = images[int(key.removeprefix("train/").partition("-")[0])]
        return pixels

    def _named(self, half: Half, prefix: str) -> dict[str, int]:
        names = [name.replace(" ", "-") for name in self.classes()]
        _, labels = self._read(half)
        return {
            f"{prefix}{index:05d}-{names[label]}": label
            for index, label in enumerate(labels.tolist())
        }

    def _read(self, half: Half) -> Arrays:
        if half not in self._halves:
            self._halves[half] = self.read(half)
        return self._halves[half]

    @cached_property
    def _halves(self) -> dict[Half, Arrays]:
        return {}


@dataclass(frozen=True)
class PublishedPictures(PublishedSet):
    """A set of one file per picture; keys are the pictures' paths in its folder.

    A broken picture does not affect the others.
    """

    @abstractmethod
    def pictures(self, split: Split) -> Mapping[str, LabelledPicture]:
        """The pictures of a split; `count` takes the first of each class."""

    def labels(self, split: Split) -> Mapping[str, int]:
        """In an order that is independent of the pictures."""
        found = self._pictures if split == self.split else self.pictures(split)
        return {key: label for key, (_, label) in found.items()}

    def pixels(self, key: str) -> NDArray[np.uint8]:
        """Decoded within the same bounds as those of the image set `folder`."""
        return pictures.read(self._pictures[key][0], key, self.folder)

    @cached_property
    def _pictures(self) -> Mapping[str, LabelledPicture]:
        return self.pictures(self.split)
