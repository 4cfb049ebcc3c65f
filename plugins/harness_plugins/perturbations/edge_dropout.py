"""Removes some of a map's edges."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

import harness
from harness_plugins.parameters import check_bounds


@dataclass(frozen=True)
class EdgeDropout(harness.Perturbation):
    """A random fraction of the edges set to zero; the others stay as they are.

    Edges are the positive weights off the diagonal.

    Parameters
    ----------
    share
        fraction of the edges, rounded to a whole number of edges.
    """

    name: ClassVar[str] = "edge-dropout"
    share: float = 0.05

    def __post_init__(self) -> None:
        check_bounds(self, "share", above=0, below=1)

    def draw(self, attention: harness.AttentionMap, *, seed: int) -> harness.AttentionMap:
        """A map (n, n) with fewer edges."""
        weights = attention.weights.copy()
        edges = np.flatnonzero((weights > 0) & ~np.eye(attention.n, dtype=bool))
        random = np.random.default_rng(seed)
        dropped = random.choice(edges, size=round(self.share * len(edges)), replace=False)
        weights.ravel()[dropped] = 0
        return replace(attention, weights=weights)


@harness.hookimpl
def harness_perturbations() -> list[type[harness.Perturbation]]:
    return [EdgeDropout]
