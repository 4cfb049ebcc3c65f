"""Reads features of layers from a model's forward pass: queries, keys, values, output tokens."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
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
# By layer, (images, heads, tokens, dimensions); output tokens are of one head.
Features = dict[int, NDArray[np.float32]]
Put = Callable[[NDArray[np.float32]], None]


@dataclass(frozen=True, eq=False)
class FeatureReader:
    """Reads features of some layers; nothing else is held, and the pass is not changed.

    modules: by layer, what returns its tokens, else its attention; projections: by layer, none for
    tokens; heads: by number, in the order of the features.
    """

    transformer: VisionTransformer
    kind: Kind
    modules: Mapping[int, nn.Module]
    projections: Mapping[int, Projection]
    heads: Sequence[int]

    @contextmanager
    def watched(self, images: int) -> Iterator[Features]:
        """Collect the features of the first so many images in a forward pass, by layer."""
        collected: Features = {}
        with ExitStack() as stack:
            for layer, module in self.modules.items():
                put = partial(collected.__setitem__, layer)
                if self.kind == "tokens":
                    stack.enter_context(module.register_forward_hook(_putting(put, images)))
                else:
                    columns = self.projections[layer].columns[list(self.heads)]
                    read = _reading(self.projections[layer].call, columns, put, images)
                    stack.enter_context(linear_maps_read(module, read))
            yield collected

    def check(self, features: Mapping[int, NDArray[np.float32]], tokens: int) -> None:
        """Raise HarnessError unless each layer gave finite features (heads, so many, …)."""
        name = self.transformer.name
        for layer in self.modules:
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
    if kind == "tokens":
        blocks = blocks_of(transformer.loaded.module, transformer.sites, transformer.name)
        # What the model returns is normalised, unlike what its last block returns.
        last = transformer.loaded.module if transformer.returns_tokens else blocks[-1]
        returning = [*blocks[:-1], last]
        of_layers = {layer: returning[layer] for layer in layers}
        return FeatureReader(transformer, kind, of_layers, {}, heads)
    of_layers = {layer: transformer.sites[layer].attention for layer in layers}
    projections = find_projections(kind, transformer, layers, pixels)
    return FeatureReader(transformer, kind, of_layers, projections, heads)


def _putting(put: Put, images: int) -> Callable[[nn.Module, object, Any], None]:
    """A hook that gives the tokens of a block, or of a model, as those of one head."""

    def see(_: nn.Module, __: object, output: Any) -> None:
        if isinstance(output, Mapping):
            tokens = output["last_hidden_state"]
        else:
            tokens = output[0] if isinstance(output, tuple) else output
        put(tokens[:images, None].detach().cpu().float().numpy())

    return see


def _reading(
    call: int, columns: NDArray[np.intp], put: Put, images: int
) -> Callable[[Sequence[Tensor]], None]:
    """What gives columns (heads, dimensions) of one linear map's output, head by head."""

    def read(outputs: Sequence[Tensor]) -> None:
        found = outputs[call][:images].detach().cpu().float().numpy()
        put(np.ascontiguousarray(found[:, :, columns].transpose(0, 2, 1, 3)))

    return read
