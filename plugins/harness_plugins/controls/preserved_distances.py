"""A null model of attention maps that keeps how far patches look and forgets at what."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import harness


@dataclass(frozen=True)
class PreservedDistances(harness.MapControl):
    """The same map with weights in random order among pairs of patches at equal distance.

    Distance is Euclidean on the grid of patches; a pair and its reverse are two pairs. Keeps the
    diagonal and the weights that occur at each distance, and so the locality that alone makes
    communities of neighbours; destroys the strengths, out and in, and every other structure. The
    spatial null model of Expert et al., PNAS 108 (2011) 7663–7668, without its strengths. Needs
    maps that have a grid.
    """

    name: ClassVar[str] = "preserved-distances"

    def draw(self, attention: harness.AttentionMap, seed: int) -> harness.AttentionMap:
        """A map (n, n) whose distances hold the same weights.

        Raises HarnessError if the map has no grid.
        """
        if attention.grid is None:
            raise harness.HarnessError(
                f"preserved-distances: the map has no grid of its {attention.n} patches; "
                "arrays has the parameter grid=[rows,columns]"
            )
        distances = _distances(*attention.grid).ravel()
        pairs = np.flatnonzero(distances)
        shuffled = np.random.default_rng(seed).permutation(pairs)
        weights = attention.weights.copy()
        weights.ravel()[_sorted(pairs, distances)] = weights.ravel()[_sorted(shuffled, distances)]
        return replace(attention, weights=weights)


def _distances(rows: int, columns: int) -> NDArray[Any]:
    """The rank of the distance between all patches of a grid, (n, n): 0 from each to itself."""
    row, column = np.arange(rows)[:, None], np.arange(columns)
    _, ranks = np.unique(row**2 + column**2, return_inverse=True)
    # Short numbers are sorted many times faster.
    small = ranks.reshape(rows, columns).astype(np.min_scalar_type(int(ranks.max())))
    row, column = np.divmod(np.arange(rows * columns), columns)
    return np.asarray(small[np.abs(row[:, None] - row), np.abs(column[:, None] - column)])


def _sorted(pairs: harness.Integers, distances: NDArray[Any]) -> harness.Integers:
    """The pairs by distance, those of one distance in the order in which they were."""
    return np.asarray(pairs[np.argsort(distances[pairs], kind="stable")])


@harness.hookimpl
def harness_controls() -> list[type[harness.MapControl]]:
    return [PreservedDistances]
