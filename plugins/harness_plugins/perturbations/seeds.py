"""No change at all: what is left is the clusterer's own chance."""

from dataclasses import dataclass
from typing import ClassVar

import harness


@dataclass(frozen=True)
class Seeds(harness.Perturbation):
    """The map as it is: only the clusterer's seed differs."""

    name: ClassVar[str] = "seeds"

    def draw(self, attention: harness.AttentionMap, seed: int) -> harness.AttentionMap:
        """The very map."""
        return attention


@harness.hookimpl
def harness_perturbations() -> list[type[harness.Perturbation]]:
    return [Seeds]
