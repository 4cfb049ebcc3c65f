"""Published sets whose files hold many images each: they are decoded once and kept."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

import harness
from harness_plugins.datasets import splits
from harness_plugins.datasets.splits import Half
from harness_plugins.image_sets.published import PublishedSet

Arrays = tuple[NDArray[np.uint8], NDArray[np.uint8]]


@dataclass(frozen=True)
class PublishedArrays(PublishedSet):
    """A set published as training and test images; some of the former become validation.

    Keys are index and class, such as 00019-t-shirt, with train/ before the training files'.
    """

    # The share of each class of the training images that is held out.
    validation: ClassVar[float]

    @abstractmethod
    def read(self, half: Half) -> Arrays:
        """Images (count, height, width, 1 or 3) and labels (count,)."""

    def labels(self, split: harness.Split) -> Mapping[str, int]:
        """In the order of the files."""
        if split == "test":
            return self._named("test", "")
        whole = self._named("train", "train/")
        split_of = splits.stratified(
            whole, {"train": 1 - self.validation, "validation": self.validation}
        )
        return {key: label for key, label in whole.items() if split_of[key] == split}

    def pixels(self, key: str) -> NDArray[np.uint8]:
        """A view of what was decoded."""
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
