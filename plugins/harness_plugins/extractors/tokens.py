"""Attention between patches alone, where a model has tokens before them: class, registers."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Prefix = Literal["renormalise", "drop", "keep"]


def patches_only(
    maps: NDArray[np.floating[Any]], prefix_tokens: int, policy: Prefix
) -> NDArray[np.floating[Any]]:
    """Maps (…, tokens, tokens) without their first tokens: (…, patches, patches).

    "renormalise" divides each row by what is left of it, so that it sums to one again; a row of
    which nothing is left stays one of zeros. "drop" leaves what patches give each other as it is;
    "keep" keeps the tokens.
    """
    if policy == "keep" or prefix_tokens == 0:
        return maps
    patches = maps[..., prefix_tokens:, prefix_tokens:]
    if policy == "drop":
        return patches
    left = patches.sum(axis=-1, keepdims=True)
    scaled: NDArray[np.floating[Any]] = patches / np.where(left > 0, left, 1)
    return scaled
