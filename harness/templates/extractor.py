"""my-method: an extractor."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class MyMethod(harness.Extractor):
    """Patches that attend to patches of like brightness.

    Parameters
    ----------
    side
        Patches along each side of the image.
    """

    name: ClassVar[str] = "my-method"
    side: int = 7

    def head_indices(self) -> Sequence[harness.HeadIndex]:
        """The heads that `extract` gives maps of."""
        return [harness.HeadIndex(layer=0, head=0)]

    def extract(self, images: Iterable[harness.Image]) -> Iterator[harness.AttentionMap]:
        """One map for each head and image; a model is loaded here, once."""
        for image in images:
            bands = np.array_split(image.pixels.mean(axis=2), self.side, axis=0)
            patches = [part for band in bands for part in np.array_split(band, self.side, axis=1)]
            brightness = np.array([patch.mean() for patch in patches])
            weights = np.exp(-np.abs(brightness[:, None] - brightness) / 32)
            weights /= weights.sum(axis=1, keepdims=True)
            yield harness.AttentionMap(
                weights, image.key, grid=(self.side, self.side), variant=image.variant
            )


@harness.hookimpl
def harness_extractors() -> list[type[harness.Extractor]]:
    """The extractor of this module."""
    return [MyMethod]
