"""Attention maps of the chosen layers and heads of a model."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

import harness
from harness_plugins.extractors.derived import Maps
from harness_plugins.extractors.heads import Chosen
from harness_plugins.extractors.pretrained import maps
from harness_plugins.extractors.pretrained.framing import Prepared
from harness_plugins.extractors.pretrained.model import VisionTransformer
from harness_plugins.extractors.pretrained.watching import check_attention, watched
from harness_plugins.extractors.tokens import Prefix, patches_only


@dataclass(frozen=True, eq=False)
class AttentionMaps:
    """Gives the attention of one image after another, layer by layer, head by head."""

    transformer: VisionTransformer
    layers: Chosen
    heads: Chosen
    rolled: bool
    prefix: Prefix

    def of(self, image: Prepared) -> Iterator[tuple[harness.HeadIndex, Maps]]:
        """The maps (nodes, nodes) of an image."""
        transformer, averaged = self.transformer, maps.head_mean(self.heads, rolled=self.rolled)
        needed = maps.needed_layers(self.layers, rolled=self.rolled)
        sites = {layer: transformer.sites[layer] for layer in needed}
        with watched(sites, self.heads.numbers, mean=averaged) as weights, torch.inference_mode():
            transformer(image.pixels)
        prefix_tokens = transformer.prefix_tokens
        check_attention(weights, needed, prefix_tokens, image.grid, transformer.name)
        by_head = maps.maps_by_head(weights, self.layers, self.heads, rolled=self.rolled)
        for head_index, given in by_head:
            yield head_index, patches_only(given, prefix_tokens, self.prefix)
