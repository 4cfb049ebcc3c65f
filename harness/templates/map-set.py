"""my-method: a set of attention maps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class MyMethod(harness.MapSet):
    """Maps of 5×6 patches whose left and right halves attend to themselves.

    Parameters
    ----------
    count
        Number of maps.
    """

    name: ClassVar[str] = "my-method"
    count: int = 8

    def keys(self) -> Sequence[str]:
        """The names of the maps, in a fixed order."""
        return [f"halves-{number:03d}" for number in range(self.count)]

    def load(self, key: str) -> harness.AttentionMap:
        """The map of that name."""
        side = np.tile(np.arange(6) // 3, 5)
        noise = np.random.default_rng(self.keys().index(key)).normal(size=(30, 30))
        weights = np.exp(noise + 2 * (side[:, None] == side))
        weights /= weights.sum(axis=1, keepdims=True)
        return harness.AttentionMap(weights, image=key, grid=(5, 6), truth=side)


@harness.hookimpl
def harness_extractors() -> list[type[harness.MapSet]]:
    """The map set of this module."""
    return [MyMethod]
