"""What the published, labelled image sets have in common: where, which split, which images."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import harness
from harness_plugins.datasets import folders, splits


@dataclass(frozen=True)
class PublishedSet(harness.LabelledImageSet):
    """A labelled set that `harness data` knows by its name.

    path: folder with its files; none: where `harness data fetch` puts them.
    split: train, validation or test.
    count: how many, taking the classes in turn; none: all.
    only: just the images with these keys, in this order.
    """

    path: Path | None = None
    split: harness.Split = "test"
    count: int | None = None
    only: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.count is not None and self.count < 1:
            raise harness.HarnessError(f"{self.name}: count must be at least 1, not {self.count}")
        if self.only is not None and (not self.only or len(set(self.only)) < len(self.only)):
            raise harness.HarnessError(f"{self.name}: only must name images, each once")

    @abstractmethod
    def labels(self, split: harness.Split) -> Mapping[str, int]:
        """Every key of a split with its class; `count` takes the first of each class."""

    @abstractmethod
    def pixels(self, key: str) -> NDArray[np.uint8]:
        """The pixels (height, width, 1 or 3) of one of the keys; raises HarnessError."""

    @cached_property
    def folder(self) -> Path:
        """Where the files are."""
        return folders.find(self.name, self.path)

    def keys(self) -> Sequence[str]:
        """The chosen keys of the split."""
        return list(self._chosen)

    def load(self, key: str) -> harness.Image:
        """One image with its label."""
        if key not in self._chosen:
            raise harness.HarnessError(f"{self.name}: there is no image {key!r}")
        return harness.Image(key, self.pixels(key), self._chosen[key])

    @cached_property
    def _chosen(self) -> Mapping[str, int]:
        labels = self.labels(self.split)
        if self.only is not None:
            labels = {key: labels[self._checked(key, labels)] for key in self.only}
        if self.count is None:
            return labels
        if self.count > len(labels):
            raise harness.HarnessError(
                f"{self.name}: count must be 1 … {len(labels)}, not {self.count}"
            )
        return {key: labels[key] for key in splits.in_turn(labels)[: self.count]}

    def _checked(self, key: str, labels: Mapping[str, int]) -> str:
        if key in labels:
            return key
        others: tuple[harness.Split, ...] = ("train", "validation", "test")
        for split in others:
            if key in self.labels(split):
                raise harness.HarnessError(
                    f"{self.name}: {key!r} is in split {split}, not in {self.split}"
                )
        raise harness.HarnessError(f"{self.name}: there is no image {key!r}")
