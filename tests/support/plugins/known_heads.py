"""Heads of known structure: of each layer's two the second clusters, in layer 1 more."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class Heads(harness.Extractor):
    """Four heads of known structure."""

    name: ClassVar[str] = "known-heads"

    def head_indices(self):
        return [harness.HeadIndex(layer, head) for layer in (0, 1) for head in (0, 1)]

    def extract(self, images):
        parity = np.arange(30) % 2
        for image in images:
            random = np.random.default_rng(image.pixels.sum())
            for head in self.head_indices():
                signal = head.head * (2 + 2 * head.layer) * (image.variant.role == "observed")
                logits = random.normal(size=(30, 30)) + signal * (parity[:, None] == parity)
                weights = np.exp(logits)
                yield harness.AttentionMap(
                    weights / weights.sum(axis=1, keepdims=True),
                    image=image.key,
                    layer=head.layer,
                    head=head.head,
                    variant=image.variant,
                )


@harness.hookimpl
def harness_extractors():
    return [Heads]
