"""Attention maps computed from several: their mean, and attention rollout."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Maps = NDArray[np.floating[Any]]


def mean(maps: Iterable[Maps]) -> Maps:
    """The mean of maps (n, n), in their own precision, holding one of them at a time."""
    total: Maps | None = None
    count = 0
    for weights in maps:
        count += 1
        total = np.array(weights) if total is None else total + weights
    if total is None:
        raise ValueError("the mean of no maps is undefined")
    return total / count


def rollout(layers: Iterable[Maps]) -> Iterator[Maps]:
    """Attention rollout: the fraction of each input token in each token, layer by layer.

    Abnar and Zuidema 2020, "Quantifying attention flow in transformers", section 3: let A be the
    mean over a layer's heads; the residual connection passes half of each token on unchanged, so
    R(l) = (A(l) + I)/2 · R(l − 1), with R(0) = I. `layers` are the A (n, n) over all tokens, from
    the first layer on; rows are rescaled to sum to one, as in the paper's code. Yields R after
    each layer.
    """
    rolled: Maps | None = None
    for weights in layers:
        passed = (weights + np.eye(len(weights), dtype=weights.dtype)) / 2
        passed = passed / passed.sum(axis=1, keepdims=True)
        rolled = passed if rolled is None else passed @ rolled
        yield rolled
