"""Reads features of layers from a model's forward pass: queries, keys, values, output tokens."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

import harness
from harness_plugins.extractors.pretrained.blocks import blocks_of
from harness_plugins.extractors.pretrained.model import VisionTransformer
from harness_plugins.extractors.pretrained.projections import (
    Projected,
    Projection,
    find_projections,
    linear_maps_read,
)

Kind = Projected | Literal["tokens"]
# By layer, (heads, tokens, dimensions); output tokens are of one head.
Features = dict[int, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class FeatureReader:
    """Reads features of some layers; nothing else is held, and the pass is not changed.

    projections: by layer; if there are none, tokens are read. heads: by number, in the order of the
    features.
    """

    transformer: VisionTransformer
    layers: Sequence[int]
    heads: Sequence[int]
    projections: Mapping[int, Projection]
    kind: Kind

    @contextmanager
    def watched(self) -> Iterator[Features]:
        """Collect the features of one image in a forward pass, by layer."""
        collected: Features = {}
        with ExitStack() as stack:
            for layer in self.layers:
                stack.enter_context(self._reading(layer, partial(collected.__setitem__, layer)))
            yield collected

    def _reading(
        self, layer: int, put: Callable[[NDArray[np.float32]], None]
    ) -> AbstractContextManager[Any]:
        transformer = self.transformer
        if self.kind == "tokens":
            blocks = blocks_of(transformer.loaded.module, transformer.sites, transformer.name)

            def see(_: nn.Module, __: Any, output: Any) -> None:
                tokens = output[0] if isinstance(output, tuple) else output
                put(tokens.detach().float().numpy())

            return blocks[layer].register_forward_hook(see)
        projection = self.projections[layer]
        columns = projection.columns[list(self.heads)]

        def read(outputs: Sequence[Tensor]) -> None:
            found = outputs[projection.call][0].detach().float().numpy()
            put(np.ascontiguousarray(found[:, columns].transpose(1, 0, 2)))

        return linear_maps_read(transformer.sites[layer].attention, read)

    def check(self, features: Features, tokens: int) -> None:
        """Raise HarnessError unless each layer gave finite features of so many tokens."""
        name = self.transformer.name
        for layer in self.layers:
            if layer not in features:
                raise harness.HarnessError(f"{name}: layer {layer} returned no {self.kind}")
            shape = features[layer].shape
            if shape[1] != tokens:
                raise harness.HarnessError(
                    f"{name}: layer {layer} returned {self.kind} of {shape[1]} tokens, not {tokens}"
                )
            if not np.isfinite(features[layer]).all():
                raise harness.HarnessError(
                    f"{name}: {self.kind} of layer {layer} are no finite numbers"
                )


def feature_reader(
    kind: Kind,
    transformer: VisionTransformer,
    layers: Sequence[int],
    heads: Sequence[int],
    pixels: Tensor,
) -> FeatureReader:
    """What reads the features of these layers and heads; pixels are of a trial."""
    projections: Mapping[int, Projection] = {}
    if kind != "tokens":
        projections = find_projections(kind, transformer, layers, pixels)
    return FeatureReader(transformer, layers, heads, projections, kind)
