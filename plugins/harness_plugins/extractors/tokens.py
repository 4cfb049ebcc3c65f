"""Attention between patches only, for models with prefix tokens: class, registers."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import harness

Prefix = Literal["renormalise", "drop", "keep"]


def patches_only(
    maps: NDArray[np.floating[Any]], prefix_tokens: int, policy: Prefix
) -> NDArray[np.floating[Any]]:
    """Maps (…, tokens, tokens) without their first tokens: (…, patches, patches)."""
    if policy == "keep" or prefix_tokens == 0:
        return maps
    if policy == "drop":
        return maps[..., prefix_tokens:, prefix_tokens:]
    return harness.without_prefix(maps, prefix_tokens)
