"""A null model of attention maps that preserves in- and out-strengths."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

import harness
from harness_plugins.controls import lost

# Largest relative difference between the strengths of the drawn and the original map.
TOLERANCE = 1e-12
# Attention without zeros takes 6 to 25 rounds.
MOST_ROUNDS = 1000
# With zero weights, some permutations cannot be scaled and others can.
MOST_PERMUTATIONS = 10


@dataclass(frozen=True)
class PreservedStrengths(harness.MapControl):
    """A random map with the same out-strengths and in-strengths off the diagonal.

    In this null model the strengths, hubs included, explain all structure. Each weight is
    replaced by its odds, the ratio of its fraction of the receiving patch's in-strength to the
    fraction of all other weights; odds are permuted within rows, and columns and rows are then
    scaled until both strengths are the map's again (iterative proportional fitting: Sinkhorn and
    Knopp, Pacific Journal of Mathematics 21 (1967) 343–348). As in a permutation of residuals
    (Freedman and Lane, Journal of Business & Economic Statistics 1 (1983) 292–298), the strengths
    are removed before the permutation and restored after it, so that the distribution of the
    weights stays close to the map's. Plain fractions instead of odds would shrink the largest
    weights and make the null too weak. Preserves the diagonal.

    The null is not quite exchangeable: on maps of noise (196 nodes, normal logits) Louvain's
    modularity was 0 to 1.7 % above that of its nulls, which is 0.2 of their deviations if columns
    have effects of deviation 0.5, and 0.6 if they have none.

    The strengths match to a relative 1e-12 and the rounding of the map's own type, 1e-7 in single
    precision. A permutation that cannot be scaled because of zeros is drawn again; after ten
    failures the map is refused: it has too few weights to be permuted.
    """

    name: ClassVar[str] = "preserved-strengths"

    def draw(self, attention: harness.AttentionMap, *, seed: int) -> harness.AttentionMap:
        """A map (n, n) with the same strengths."""
        others = ~np.eye(attention.n, dtype=bool)
        weights = np.where(others, attention.weights, 0.0).astype(np.float64)
        weights /= weights.max() or 1.0
        given, received = weights.sum(axis=1), weights.sum(axis=0)
        odds = _odds(weights, received)
        random = np.random.default_rng(seed)
        for _ in range(MOST_PERMUTATIONS):
            # Patches that receive nothing are left out.
            for row, targets in zip(odds, others & (received > 0), strict=True):
                row[targets] = random.permutation(row[targets])
            drawn = _balanced(odds * received, given, received)
            if drawn is not None:
                break
        else:
            raise harness.HarnessError(
                "preserved-strengths: too many of the map's weights are zero: its rows, permuted, "
                "cannot be scaled to its in-strengths; permuted-rows takes any map"
            )
        # The map is scaled back to its own largest weight in its own type.
        largest = attention.weights[others].max(initial=0)
        found = np.where(others, drawn * largest, attention.weights)
        return replace(attention, weights=found.astype(attention.weights.dtype))

    def caveat(self) -> str:
        """The draws lose structure that noise may have."""
        return lost.caveat("locality")


def _odds(weights: harness.Floats, received: harness.Floats) -> harness.Floats:
    """The odds of each weight in its column, at most n: a single weight's odds are infinite."""
    rest = np.maximum(received - weights, received / len(weights))
    return np.divide(weights, rest, out=np.zeros_like(weights), where=rest > 0)


def _balanced(
    weights: harness.Floats, given: harness.Floats, received: harness.Floats
) -> harness.Floats | None:
    """Weights with rows and columns scaled to these sums; None if that does not converge."""
    by_row, by_column = np.ones(len(weights)), np.ones(len(weights))
    for _ in range(MOST_ROUNDS):
        with np.errstate(over="ignore", invalid="ignore"):
            by_row = _ratio(given, weights @ by_column)
            sums = by_row @ weights
            reached = np.abs(sums * by_column - received) <= TOLERANCE * received
            if reached.all():
                scaled: harness.Floats = by_row[:, None] * weights * by_column
                return scaled
            by_column = _ratio(received, sums)
    return None


def _ratio(wanted: harness.Floats, sums: harness.Floats) -> harness.Floats:
    """The factors that give the wanted sums; 1 for a sum of 0."""
    return np.divide(wanted, sums, out=np.ones_like(sums), where=sums > 0)


@harness.hookimpl
def harness_controls() -> list[type[harness.MapControl]]:
    return [PreservedStrengths]
