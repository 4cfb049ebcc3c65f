"""TensorFlow's flower photos."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import harness
from harness_plugins.datasets import class_folders, splits, tf_flowers
from harness_plugins.image_sets.published import PublishedPictures

SHARES: Mapping[harness.Split, float] = {"train": 0.8, "validation": 0.1, "test": 0.1}


@dataclass(frozen=True)
class TfFlowers(PublishedPictures):
    """TensorFlow's 3,670 photos of flowers in five classes, of many sizes.

    The TensorFlow Team 2019; each photo is CC BY 2.0, by the author that LICENSE.txt names. There
    is no official split: 80 % of each class are train, 10 % validation, 10 % test. The four photos
    that the thesis shows are in test, and photos that are in the set twice are in one split. Keys
    are paths, such as tulips/14957470_6a8c272a87_m.jpg.
    """

    name: ClassVar[str] = "tf-flowers"
    class_names: ClassVar[tuple[str, ...]] = tf_flowers.CLASSES

    def pictures(self, split: harness.Split) -> Mapping[str, class_folders.LabelledPicture]:
        """The files of the five folders that the hashes of their keys assign to the split."""
        found = class_folders.find(self.folder, self.classes())
        labels = {key: label for key, (_, label) in found.items()}
        split_of = splits.stratified(labels, SHARES, last=tf_flowers.THESIS_PICTURES)
        for copy, original in tf_flowers.COPIES.items():
            if copy in split_of and original in split_of:
                split_of[copy] = split_of[original]
        return {key: picture for key, picture in found.items() if split_of[key] == split}


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    return [TfFlowers]
