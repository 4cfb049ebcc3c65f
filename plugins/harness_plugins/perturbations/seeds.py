"""Leaves the map unchanged, which measures the clusterer's own randomness."""

from dataclasses import dataclass
from typing import ClassVar

import harness


@dataclass(frozen=True)
class Seeds(harness.Perturbation):
    """The unchanged map: only the clusterer's seed differs."""

    name: ClassVar[str] = "seeds"

    def draw(self, attention: harness.AttentionMap, *, seed: int) -> harness.AttentionMap:
        """The same map."""
        return attention


@harness.hookimpl
def harness_perturbations() -> list[type[harness.Perturbation]]:
    return [Seeds]
