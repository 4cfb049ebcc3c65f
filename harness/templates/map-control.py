"""my-method: a control of attention maps."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class MyMethod(harness.MapControl):
    """The same map with its weights off the diagonal in random order."""

    name: ClassVar[str] = "my-method"

    def draw(self, attention: harness.AttentionMap, *, seed: int) -> harness.AttentionMap:
        """A map (n, n) of the same weights."""
        weights = attention.weights.copy()
        others = ~np.eye(attention.n, dtype=bool)
        weights[others] = np.random.default_rng(seed).permutation(weights[others])
        return replace(attention, weights=weights)

    def caveat(self) -> str:
        """What noise may have and the draws lose, so that a small p may show no more."""
        return "noise may have hubs and locality, which its draws lose; a small p may show no more"


@harness.hookimpl
def harness_controls() -> list[type[harness.MapControl]]:
    """The control of this module."""
    return [MyMethod]
