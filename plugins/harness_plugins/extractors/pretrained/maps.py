"""Maps of single heads from the maps of layers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

import harness
from harness_plugins.extractors.derived import Maps, mean, rollout
from harness_plugins.extractors.heads import Chosen


def head_indices(layers: Chosen, heads: Chosen, *, rolled: bool) -> Sequence[harness.HeadIndex]:
    """The layers and heads of the maps; attention rollout has head 0 only."""
    names = (0,) if rolled else heads.names
    return [harness.HeadIndex(layer, head) for layer in layers.names for head in names]


def needed_layers(layers: Chosen, *, rolled: bool) -> Sequence[int]:
    """The layers whose weights are needed; rollout needs all up to the last."""
    return range(layers.numbers[-1] + 1) if rolled else layers.numbers


def head_mean(heads: Chosen, *, rolled: bool) -> bool:
    """Whether only the mean over the chosen heads of each layer is needed."""
    return heads.mean or rolled


def maps_by_head(
    weights: Mapping[int, NDArray[np.float32]], layers: Chosen, heads: Chosen, *, rolled: bool
) -> Iterator[tuple[harness.HeadIndex, Maps]]:
    """One map (tokens, tokens) per head, in the order of `head_indices`.

    weights: by needed layer, those of the chosen heads (heads, tokens, tokens), or their mean
    (1, tokens, tokens) if `head_mean` is true.
    """
    if rolled:
        averaged = (weights[layer][0] for layer in needed_layers(layers, rolled=True))
        for layer, given in enumerate(rollout(averaged)):
            if layer in layers.numbers:
                yield harness.HeadIndex(layer, 0), given
        return
    yield from separated((weights[layer] for layer in layers.numbers), layers, heads)


def separated(
    by_layer: Iterable[Maps], layers: Chosen, heads: Chosen
) -> Iterator[tuple[harness.HeadIndex, Maps]]:
    """One map (n, n) per layer and head, or of the layers' mean, of stacks (heads, n, n)."""
    if layers.mean:
        by_layer = [mean(by_layer)]
    for layer, given in zip(layers.names, by_layer, strict=True):
        for head, chosen in zip(heads.names, given, strict=True):
            yield harness.HeadIndex(layer, head), chosen
