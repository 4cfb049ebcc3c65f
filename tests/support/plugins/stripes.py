"""A small labelled image set that can be learned: noise, bright in the row that is the label."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

import harness

SPLITS = {"train": range(64), "validation": range(64, 96), "test": range(96, 128)}


@dataclass(frozen=True)
class Stripes(harness.LabelledImageSet):
    """Noisy grey images of four classes; one can be broken, or of another size or class."""

    name: ClassVar[str] = "stripes"
    split: Literal["train", "validation", "test"] = "test"
    broken: int = -1
    taller: int = -1
    unlabelled: int = -1

    def classes(self) -> Sequence[str]:
        return ["a", "b", "c", "d"]

    def keys(self) -> Sequence[str]:
        return [f"stripes-{number}" for number in SPLITS[self.split]]

    def load(self, key: str) -> harness.Image:
        number = int(key.removeprefix("stripes-"))
        if number == self.broken:
            raise harness.HarnessError(f"{key}: broken image")
        random = np.random.default_rng(number)
        label = int(random.integers(0, 4))
        pixels = random.integers(0, 128, (8 + (number == self.taller), 8, 1), dtype=np.uint8)
        pixels[2 * label] += 127
        return harness.Image(key, pixels, None if number == self.unlabelled else label)


@harness.hookimpl
def harness_image_sets() -> list[type[harness.ImageSet]]:
    return [Stripes]
