"""Attention maps that are made of several: their mean, and attention rollout."""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Maps = NDArray[np.floating[Any]]


def mean(maps: Iterable[Maps]) -> Maps:
    """The mean of maps (n, n), in their own precision, holding one of them at a time.

    Raises ValueError if there are none.
    """
    total: Maps | None = None
    count = 0
    for weights in maps:
        count += 1
        total = np.array(weights) if total is None else total + weights
    if total is None:
        raise ValueError("there is no mean of no maps")
    return total / count


def rollout(layers: Iterable[Maps]) -> Iterator[Maps]:
    """How much of each input token reaches each token, layer by layer: attention rollout.

    Abnar and Zuidema 2020, "Quantifying attention flow in transformers", section 3: with A the
    mean over a layer's heads and half of each token passed on unchanged by the residual
    connection, R(l) = (A(l) + I)/2 · R(l − 1), R before the first layer being I. `layers` are the
    A (n, n) from the first layer on, all tokens among the n; rows are rescaled to sum to one, as
    in the paper's code. Gives R after each layer.
    """
    rolled: Maps | None = None
    for weights in layers:
        passed = (weights + np.eye(len(weights), dtype=weights.dtype)) / 2
        passed = passed / passed.sum(axis=1, keepdims=True)
        rolled = passed if rolled is None else passed @ rolled
        yield rolled
