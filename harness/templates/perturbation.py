"""my-method: a perturbation."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class MyMethod(harness.Perturbation):
    """Every weight times a random factor near 1.

    Parameters
    ----------
    scale
        The largest relative change of a weight, 0 … 1.
    """

    name: ClassVar[str] = "my-method"
    scale: float = 0.05

    def __post_init__(self) -> None:
        if not 0 <= self.scale <= 1:
            raise harness.HarnessError(f"my-method: scale must be 0 … 1, not {self.scale:g}")

    def draw(self, attention: harness.AttentionMap, *, seed: int) -> harness.AttentionMap:
        """A map (n, n) that differs a little."""
        random = np.random.default_rng(seed)
        factors = random.uniform(1 - self.scale, 1 + self.scale, attention.weights.shape)
        return replace(attention, weights=attention.weights * factors)


@harness.hookimpl
def harness_perturbations() -> list[type[harness.Perturbation]]:
    """The perturbation of this module."""
    return [MyMethod]
