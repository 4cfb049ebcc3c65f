"""Attention maps of the chosen layers and heads of a model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

import harness
from harness_plugins.extractors.derived import Maps
from harness_plugins.extractors.devices import stacked
from harness_plugins.extractors.heads import Chosen
from harness_plugins.extractors.pretrained import maps
from harness_plugins.extractors.pretrained.framing import Prepared
from harness_plugins.extractors.pretrained.model import VisionTransformer
from harness_plugins.extractors.pretrained.watching import check_attention, watched
from harness_plugins.extractors.tokens import Prefix, patches_only


@dataclass(frozen=True, eq=False)
class AttentionMaps:
    """Gives the attention of images, layer by layer, head by head; `batch` in each pass."""

    transformer: VisionTransformer
    layers: Chosen
    heads: Chosen
    rolled: bool
    prefix: Prefix
    batch: int

    def of(self, images: Sequence[Prepared]) -> list[Iterator[tuple[harness.HeadIndex, Maps]]]:
        """The maps (nodes, nodes) of each of up to `batch` images of one size, checked when read.

        Raises HarnessError if the pass fails.
        """
        transformer, averaged = self.transformer, maps.head_mean(self.heads, rolled=self.rolled)
        needed = maps.needed_layers(self.layers, rolled=self.rolled)
        sites = {layer: transformer.sites[layer] for layer in needed}
        watching = watched(sites, self.heads.numbers, images=len(images), mean=averaged)
        with watching as weights, torch.inference_mode():
            transformer(stacked([image.pixels for image in images], self.batch))
        return [
            self._of_image({layer: each[number] for layer, each in weights.items()}, image.grid)
            for number, image in enumerate(images)
        ]

    def _of_image(
        self, weights: Mapping[int, NDArray[np.float32]], grid: tuple[int, int]
    ) -> Iterator[tuple[harness.HeadIndex, Maps]]:
        """The maps of one image, from the weights of the chosen heads by layer."""
        needed = maps.needed_layers(self.layers, rolled=self.rolled)
        prefix_tokens = self.transformer.prefix_tokens
        check_attention(weights, needed, prefix_tokens, grid, self.transformer.name)
        by_head = maps.maps_by_head(weights, self.layers, self.heads, rolled=self.rolled)
        for head_index, given in by_head:
            yield head_index, patches_only(given, prefix_tokens, self.prefix)
