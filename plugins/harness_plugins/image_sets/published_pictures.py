"""Published sets of one file a picture: a broken one costs itself only."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

import harness
from harness_plugins.datasets import pictures
from harness_plugins.datasets.class_folders import LabelledPicture
from harness_plugins.image_sets.published import PublishedSet


@dataclass(frozen=True)
class PublishedPictures(PublishedSet):
    """A set whose keys are the pictures' paths in its folder."""

    @abstractmethod
    def pictures(self, split: harness.Split) -> Mapping[str, LabelledPicture]:
        """The pictures of a split; `count` takes the first of each class."""

    def labels(self, split: harness.Split) -> Mapping[str, int]:
        """In an order that has nothing to do with the pictures."""
        found = self._pictures if split == self.split else self.pictures(split)
        return {key: picture.label for key, picture in found.items()}

    def pixels(self, key: str) -> NDArray[np.uint8]:
        """Decoded with the care of the image set `folder`."""
        return pictures.read(self._pictures[key].path, key, self.folder)

    @cached_property
    def _pictures(self) -> Mapping[str, LabelledPicture]:
        return self.pictures(self.split)
