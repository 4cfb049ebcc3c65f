"""The shipped sample of the flower photos."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import harness
from harness_plugins.datasets import pictures
from harness_plugins.datasets.tf_flowers import CLASSES
from harness_plugins.parameters import check_bounds

FOLDER = Path(__file__).parent / "flowers_sample_data"
SIZE = 20


@dataclass(frozen=True)
class FlowersSample(harness.ImageSet):
    """Test photos of tf-flowers that come with the harness: RGB, of many sizes, labelled.

    The four that the thesis shows and 16 others, with the classes in turn: five consecutive photos
    have all classes. Each is CC BY 2.0, by the author that sample.csv in their folder names. Keys
    are paths, such as tulips/14957470_6a8c272a87_m.jpg.

    Parameters
    ----------
    count
        number of photos, at most 20.
    """

    name: ClassVar[str] = "flowers-sample"
    count: int = SIZE

    def __post_init__(self) -> None:
        check_bounds(self, "count", least=1, most=SIZE)

    def classes(self) -> Sequence[str]:
        """The names that labels index."""
        return CLASSES

    def keys(self) -> Sequence[str]:
        """The photos' paths, as in tf-flowers."""
        return self._files[: self.count]

    def load(self, key: str) -> harness.Image:
        """One photo with its label."""
        if key not in self.keys():
            raise harness.HarnessError(f"flowers-sample: there is no image {key!r}")
        pixels = pictures.read(FOLDER / key, key, FOLDER)
        return harness.Image(key, pixels, CLASSES.index(key.partition("/")[0]))

    @cached_property
    def _files(self) -> list[str]:
        with (FOLDER / "sample.csv").open(encoding="utf-8", newline="") as file:
            return [row["file"] for row in csv.DictReader(file)]


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    return [FlowersSample]
