"""CINIC-10."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import harness
from harness_plugins.datasets import cinic10, class_folders
from harness_plugins.image_sets.published import PublishedPictures


@dataclass(frozen=True)
class Cinic10(PublishedPictures):
    """CINIC-10: 270,000 colour images of 32×32 in CIFAR-10's classes, 90,000 per split.

    Darlow, Crowley, Antoniou and Storkey 2018. It contains all of CIFAR-10, spread over its three
    splits: do not train a model on one of the two sets and test it on the other.
    """

    name: ClassVar[str] = "cinic10"
    class_names: ClassVar[tuple[str, ...]] = cinic10.CLASSES

    def pictures(self, split: harness.Split) -> Mapping[str, class_folders.LabelledPicture]:
        """The files in train/, valid/ or test/."""
        part = cinic10.FOLDERS[split]
        found = class_folders.find(self.folder / part, self.classes())
        return {f"{part}/{key}": picture for key, picture in found.items()}


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    return [Cinic10]
