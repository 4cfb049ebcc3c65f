"""An extractor that warns, and whose library warns."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class Cautious(harness.Extractor):
    """Random maps of four patches, half of them, it says, made up."""

    name: ClassVar[str] = "cautious"

    def head_indices(self) -> Sequence[harness.HeadIndex]:
        """One head."""
        return [harness.HeadIndex(0, 0)]

    def extract(self, images: Iterable[harness.Image]) -> Iterator[harness.AttentionMap]:
        """One map an image, and warnings of two sources."""
        for image in images:
            random = np.random.default_rng(int(image.pixels.sum()))
            yield harness.AttentionMap(random.random((4, 4)), image.key, variant=image.variant)
            warnings.warn("half of the patches are made up", stacklevel=1)
        warnings.warn_explicit("a library complains", UserWarning, "library.py", 1)


@harness.hookimpl
def harness_extractors() -> list[type[harness.Extractor]]:
    """The extractor of this module."""
    return [Cautious]
