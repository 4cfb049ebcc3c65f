"""From the layers that a forward pass left to one map a head."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

import harness
from harness_plugins.extractors.derived import Maps, mean, rollout
from harness_plugins.extractors.heads import Chosen


def head_indices(layers: Chosen, heads: Chosen, *, rolled: bool) -> Sequence[harness.HeadIndex]:
    """The heads of chosen layers and heads; attention rollout has one for all heads, 0."""
    places = (0,) if rolled else heads.places
    return [harness.HeadIndex(layer, head) for layer in layers.places for head in places]


def needed_layers(layers: Chosen, *, rolled: bool) -> Sequence[int]:
    """The layers whose weights are needed: for rollout all up to the last."""
    return range(layers.numbers[-1] + 1) if rolled else layers.numbers


def head_mean(heads: Chosen, *, rolled: bool) -> bool:
    """Whether of each layer the mean over the chosen heads is all that is needed."""
    return heads.mean or rolled


def maps_by_slot(
    weights: Mapping[int, NDArray[np.float32]], layers: Chosen, heads: Chosen, *, rolled: bool
) -> Iterator[tuple[harness.HeadIndex, Maps]]:
    """One map (tokens, tokens) a head, in the order of `heads`.

    weights: of the needed layers the chosen heads' (heads, tokens, tokens), by layer, or their
    mean's (1, tokens, tokens) where `head_mean` tells so.
    """
    if rolled:
        averaged = (weights[layer][0] for layer in needed_layers(layers, rolled=True))
        for layer, given in enumerate(rollout(averaged)):
            if layer in layers.numbers:
                yield harness.HeadIndex(layer, 0), given
        return
    by_layer: Iterator[Maps] = (weights[layer] for layer in layers.numbers)
    if layers.mean:
        by_layer = iter([mean(by_layer)])
    for layer, given in zip(layers.places, by_layer, strict=True):
        for head, chosen in zip(heads.places, given, strict=True):
            yield harness.HeadIndex(layer, head), chosen
