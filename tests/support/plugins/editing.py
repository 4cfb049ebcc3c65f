"""An extractor whose file changes while its heads are listed. Tests copy the file."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

import harness

SIZE = 12


@dataclass(frozen=True)
class Editing(harness.Extractor):
    """Another version of it is saved while the inputs are surveyed."""

    name: ClassVar[str] = "editing"

    def head_indices(self):
        file = Path(__file__)
        file.write_text(file.read_text().replace("SIZE = 12", "SIZE = 13"))
        return [harness.HeadIndex(0, 0)]

    def fingerprint(self):
        return ""

    def extract(self, images):
        for image in images:
            weights = np.random.default_rng(0).random((SIZE, SIZE))
            yield harness.AttentionMap(weights, image=image.key, variant=image.variant)


@harness.hookimpl
def harness_extractors():
    return [Editing]
