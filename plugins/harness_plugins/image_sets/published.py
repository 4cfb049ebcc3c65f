"""The published, labelled image sets: where their files are, which split, which images."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar, get_args

import numpy as np
from numpy.typing import NDArray

import harness
from harness import HarnessError, Split
from harness_plugins.datasets import folders, pictures, splits
from harness_plugins.datasets.class_folders import LabelledPicture
from harness_plugins.datasets.splits import Half
from harness_plugins.parameters import check_bounds, check_value

Arrays = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True)
class PublishedSet(harness.LabelledImageSet):
    """A labelled set that `harness data` knows by its name.

    path: folder with its files; none: where `harness data fetch` puts them.
    split: train, validation or test.
    count: number of images, taking the classes in turn; none: all.
    only: just the images with these keys, in this order.
    """

    class_names: ClassVar[tuple[str, ...]]
    path: Path | None = None
    split: Split = "test"
    count: int | None = None
    only: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_bounds(self, "count", least=1)
        if self.only is not None and (not self.only or len(set(self.only)) < len(self.only)):
            raise HarnessError(f"{self.name}: only must name images, each once")

    @abstractmethod
    def labels(self, split: Split) -> Mapping[str, int]:
        """The class of every key of a split; `count` takes the first keys of each class."""

    @abstractmethod
    def pixels(self, key: str) -> NDArray[np.uint8]:
        """The pixels (height, width, 1 or 3) of one of the keys; raises HarnessError."""

    @cached_property
    def folder(self) -> Path:
        """The folder with the files."""
        return folders.find(self.name, self.path)

    def classes(self) -> Sequence[str]:
        """The names of the classes."""
        return self.class_names

    def keys(self) -> Sequence[str]:
        """The chosen keys of the split."""
        return list(self._chosen)

    def load(self, key: str) -> harness.Image:
        """One image with its label."""
        if key not in self._chosen:
            raise HarnessError(f"{self.name}: there is no image {key!r}")
        return harness.Image(key, self.pixels(key), self._chosen[key])

    @cached_property
    def _chosen(self) -> Mapping[str, int]:
        labels = self.labels(self.split)
        if self.only is not None:
            labels = {key: labels[self._checked(key, labels)] for key in self.only}
        if self.count is None or not labels:
            return labels
        owner = f"{self.name}, split {self.split}"
        check_value(owner, "count", self.count, least=1, most=len(labels))
        return {key: labels[key] for key in splits.in_turn(labels)[: self.count]}

    def _checked(self, key: str, labels: Mapping[str, int]) -> str:
        if key in labels:
            return key
        for split in get_args(Split):
            if key in self.labels(split):
                raise HarnessError(f"{self.name}: {key!r} is in split {split}, not in {self.split}")
        raise HarnessError(f"{self.name}: there is no image {key!r}")


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
