"""An extractor of three layers with two heads each, the deeper the clearer.

Layer 0 is noise. In layer 1 both heads attend within two groups of patches that are drawn for each
image, in layer 2 within two groups that are the same on every image.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness

GRID = (4, 6)
PATCHES = 24
SIGNALS = (0.0, 4.0, 8.0)


@dataclass(frozen=True)
class Deep(harness.Extractor):
    """Three layers of known structure."""

    name: ClassVar[str] = "deep"

    def head_indices(self) -> Sequence[harness.HeadIndex]:
        """Three layers with two heads."""
        return [harness.HeadIndex(layer, head) for layer in range(3) for head in range(2)]

    def extract(self, images: Iterable[harness.Image]) -> Iterator[harness.AttentionMap]:
        """Every map of every image; of a control's images, noise only."""
        parity = np.arange(PATCHES) % 2
        for image in images:
            random = np.random.default_rng(int(image.pixels.sum()))
            groups = (parity, random.permutation(parity), parity)
            for head_index in self.head_indices():
                signal = SIGNALS[head_index.layer] * (image.variant.role == "observed")
                group = groups[head_index.layer]
                logits = random.normal(size=(PATCHES, PATCHES))
                weights = np.exp(logits + signal * (group[:, None] == group))
                yield harness.AttentionMap(
                    weights / weights.sum(axis=1, keepdims=True),
                    image=image.key,
                    layer=head_index.layer,
                    head=head_index.head,
                    grid=GRID,
                    variant=image.variant,
                )


@harness.hookimpl
def harness_extractors() -> list[type[harness.Extractor]]:
    """The extractor of this module."""
    return [Deep]
