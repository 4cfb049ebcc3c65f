"""A null model of attention maps that keeps each row's weights and permutes their targets."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

import harness
from harness_plugins.controls import lost


@dataclass(frozen=True)
class PermutedRows(harness.MapControl):
    """The same map with each row's off-diagonal weights in random order.

    Preserves the diagonal, every row's weights and so the out-strengths; destroys the in-strengths
    and all structure.
    """

    name: ClassVar[str] = "permuted-rows"

    def draw(self, attention: harness.AttentionMap, *, seed: int) -> harness.AttentionMap:
        """A map (n, n) with the same weights in every row."""
        n = attention.n
        others = ~np.eye(n, dtype=bool)
        rows = attention.weights[others].reshape(n, n - 1)
        weights = attention.weights.copy()
        weights[others] = np.random.default_rng(seed).permuted(rows, axis=1).ravel()
        return replace(attention, weights=weights)

    def caveat(self) -> str:
        """The draws lose structure that noise may have."""
        return lost.caveat("hubs", "locality")


@harness.hookimpl
def harness_controls() -> list[type[harness.MapControl]]:
    return [PermutedRows]
