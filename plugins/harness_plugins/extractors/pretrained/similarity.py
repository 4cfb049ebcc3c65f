"""Maps of the cosine similarities between the features of tokens."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

import harness
from harness_plugins.extractors.derived import Maps
from harness_plugins.extractors.devices import stacked
from harness_plugins.extractors.heads import Chosen
from harness_plugins.extractors.pretrained.cosine import cosines
from harness_plugins.extractors.pretrained.features import FeatureReader
from harness_plugins.extractors.pretrained.framing import Prepared
from harness_plugins.extractors.pretrained.maps import separated


@dataclass(frozen=True, eq=False)
class SimilarityMaps:
    """Gives the cosine similarities of images, layer by layer, head by head.

    heads: of the maps; concatenated: whether the features of all heads that are read make one map
    of a layer; keep_prefix: whether the tokens before the patches are nodes, too; batch: the number
    of images in each pass.
    """

    reader: FeatureReader
    layers: Chosen
    heads: Chosen
    concatenated: bool
    keep_prefix: bool
    batch: int

    def of(self, images: Sequence[Prepared]) -> list[Iterator[tuple[harness.HeadIndex, Maps]]]:
        """The maps (nodes, nodes), from −1 to 1, of each of up to `batch` images of one size.

        Features are checked, and maps computed, when they are read. Raises HarnessError if the pass
        fails.
        """
        with self.reader.watched(len(images)) as features, torch.inference_mode():
            self.reader.transformer(stacked([image.pixels for image in images], self.batch))
        return [
            self._of_image({layer: each[number] for layer, each in features.items()}, image.grid)
            for number, image in enumerate(images)
        ]

    def _of_image(
        self, features: Mapping[int, NDArray[np.float32]], grid: tuple[int, int]
    ) -> Iterator[tuple[harness.HeadIndex, Maps]]:
        """The maps of one image, from its features (heads, tokens, dimensions) by layer."""
        first = self.reader.transformer.prefix_tokens
        self.reader.check(features, first + grid[0] * grid[1])
        by_layer = (
            self._of_layer(features[layer][:, 0 if self.keep_prefix else first :])
            for layer in self.layers.numbers
        )
        yield from separated(by_layer, self.layers, self.heads)

    def _of_layer(self, features: NDArray[np.float32]) -> Maps:
        """Maps (heads, nodes, nodes) from features (heads, nodes, dimensions)."""
        if self.concatenated:
            features = np.concatenate(features, axis=1)[None]
        found = np.stack([cosines(of_head).astype(np.float32) for of_head in features])
        return found.mean(axis=0, keepdims=True) if self.heads.mean else found


@dataclass
class Negatives:
    """The similarities that were set to zero: their number, and the least and most of a map."""

    negative: int = 0
    pairs: int = 0
    least: float = 1.0
    most: float = 0.0

    def removed(self, similarities: Maps, *, counted: bool) -> NDArray[np.float32]:
        """A map (n, n) in which negative similarities are zero."""
        if counted:
            negative, n = int((similarities < 0).sum()), len(similarities)
            # The diagonal is never negative.
            share = negative / max(n * (n - 1), 1)
            self.negative += negative
            self.pairs += n * (n - 1)
            self.least, self.most = min(self.least, share), max(self.most, share)
        return np.where(similarities > 0, similarities, 0).astype(np.float32)

    def __str__(self) -> str:
        """What became of them, or "" if there were none."""
        if not self.negative:
            return ""
        return (
            f"{self.negative / self.pairs:.1%} of the cosine similarities are negative "
            f"({self.least:.1%} … {self.most:.1%} of a map) and were set to zero"
        )
