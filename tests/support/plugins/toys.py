"""A labelled image set of one image."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

import harness


@dataclass(frozen=True)
class Toys(harness.LabelledImageSet):
    """One image of the second of two classes."""

    name = "toys"
    names: str
    split: Literal["train", "validation", "test"] = "test"

    def keys(self):
        return ["toy"]

    def load(self, key):
        pixels = np.random.default_rng(0).integers(0, 256, (28, 28, 1), dtype=np.uint8)
        return harness.Image(key, pixels, 1)

    def classes(self):
        return self.names.split()


@harness.hookimpl
def harness_image_sets():
    return [Toys]
