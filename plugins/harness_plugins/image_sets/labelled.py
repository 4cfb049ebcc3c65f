"""Labelled image sets that give a split, a number of images, or some by name."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray

import harness
from harness import HarnessError, Split
from harness_plugins.datasets import splits
from harness_plugins.parameters import check_bounds, check_value


@dataclass(frozen=True)
class LabelledSet(harness.LabelledImageSet):
    """A labelled set in files.

    Parameters
    ----------
    path
        its file or folder.
    split
        train, validation or test; none: all images.
    count
        number of images, taking the classes in turn; none: all.
    only
        just the images with these keys, in this order.
    """

    path: Path | None = None
    split: Split | None = None
    count: int | None = None
    only: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_bounds(self, "count", least=1)
        if self.only is not None and (not self.only or len(set(self.only)) < len(self.only)):
            raise HarnessError(f"{self.name}: only must name images, each once")

    @abstractmethod
    def split_labels(self) -> Mapping[str, int]:
        """The class of every key of the split, −1 for none; `count` takes the first of a class."""

    @abstractmethod
    def pixels(self, key: str) -> NDArray[np.uint8]:
        """The pixels (height, width, 1 or 3) of one of the keys; raises HarnessError."""

    def keys(self) -> Sequence[str]:
        """The chosen keys of the split."""
        return list(self._chosen)

    def load(self, key: str) -> harness.Image:
        """One image with its label."""
        if key not in self._chosen:
            raise HarnessError(f"{self._owner}: there is no image {key!r}")
        label, classes = self._chosen[key], self.classes()
        if label >= len(classes):
            raise HarnessError(f"{key}: its label {label} is not among {len(classes)} classes")
        return harness.Image(key, self.pixels(key), None if label < 0 else label)

    @property
    def _owner(self) -> str:
        """What messages call the set."""
        return self.name

    @cached_property
    def _chosen(self) -> Mapping[str, int]:
        labels = self.split_labels()
        if self.only is not None:
            labels = {key: labels[self._checked(key, labels)] for key in self.only}
        if self.count is None or not labels:
            return labels
        owner = self.name if self.split is None else f"{self.name}, split {self.split}"
        check_value(owner, "count", self.count, least=1, most=len(labels))
        return {key: labels[key] for key in splits.in_turn(labels)[: self.count]}

    def _checked(self, key: str, labels: Mapping[str, int]) -> str:
        if key in labels:
            return key
        for split in get_args(Split) if self.split else ():
            if key in replace(self, split=split, count=None, only=None).split_labels():
                raise HarnessError(f"{self.name}: {key!r} is in split {split}, not in {self.split}")
        raise HarnessError(f"{self._owner}: there is no image {key!r}")


@dataclass(frozen=True)
class OwnSet(LabelledSet):
    """A set of the user's own, whose files may say which split an image belongs to.

    A split that no file names is made: 10 % of each class of the training images, or of all
    images if no file names a split.
    """

    @abstractmethod
    def all_labels(self) -> Mapping[str, int]:
        """The class of every key, −1 for none."""

    @abstractmethod
    def named_splits(self) -> Mapping[str, Split]:
        """The split of every key whose file names one."""

    def split_labels(self) -> Mapping[str, int]:
        """In the order of all labels."""
        found = self.all_labels()
        if self.split is None:
            return found
        split_of = splits.completed(found, self.named_splits())
        return {key: label for key, label in found.items() if split_of[key] == self.split}
