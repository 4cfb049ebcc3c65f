"""A null model of attention maps that preserves the weights at each distance."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import harness
from harness_plugins.controls import lost
from harness_plugins.controls.distances import distance_classes


@dataclass(frozen=True)
class PreservedDistances(harness.MapControl):
    """The same map with weights in random order among pairs of patches at equal distance.

    Distance is Euclidean on the grid of patches; a pair and its reverse are two pairs. Preserves
    the diagonal and the weights at each distance, and so the locality, which alone makes
    communities of neighbours; destroys in- and out-strengths and all other structure. This is the
    spatial null model of Expert et al., PNAS 108 (2011) 7663–7668, without strengths. Needs maps
    with a grid.
    """

    name: ClassVar[str] = "preserved-distances"

    def draw(self, attention: harness.AttentionMap, *, seed: int) -> harness.AttentionMap:
        """A map (n, n) with the same weights at each distance."""
        if attention.grid is None:
            raise harness.HarnessError(
                f"preserved-distances: the map has no grid of its {attention.n} patches; "
                "arrays has the parameter grid=[rows,columns]"
            )
        distances = distance_classes(*attention.grid).ravel()
        pairs = np.flatnonzero(distances)
        shuffled = np.random.default_rng(seed).permutation(pairs)
        weights = attention.weights.copy()
        weights.ravel()[_sorted(pairs, distances)] = weights.ravel()[_sorted(shuffled, distances)]
        return replace(attention, weights=weights)

    def caveat(self) -> str:
        """The draws lose structure that noise may have."""
        return lost.caveat("hubs")


def _sorted(pairs: harness.Integers, distances: NDArray[Any]) -> harness.Integers:
    """The pairs sorted by distance, in their previous order within a distance."""
    return np.asarray(pairs[np.argsort(distances[pairs], kind="stable")])


@harness.hookimpl
def harness_controls() -> list[type[harness.MapControl]]:
    return [PreservedDistances]
