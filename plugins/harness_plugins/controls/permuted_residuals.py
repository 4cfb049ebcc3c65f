"""A null model of attention maps that preserves hubs and locality, as a softmax makes them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

import harness
from harness_plugins.controls import lost
from harness_plugins.controls.distances import distance_classes

Effect = Literal["rows", "columns", "distance"]
# Alternating means stop when no mean exceeds this, relative to the logits' deviation.
TOLERANCE = 1e-6
MOST_ROUNDS = 200
# Permutations to try until every row has a weight.
MOST_TRIES = 20


@dataclass(frozen=True)
class PermutedResiduals(harness.MapControl):
    """The same map with the residuals of an additive model of its logits in random order.

    The logits, log-weights off the diagonal, are a mean plus an effect of each row, of each column
    (hubs) and of each distance between patches on the grid (locality), plus residuals. The effects
    are fitted by alternating means. The residuals are permuted, cleared of effects that they then
    have by chance, and rescaled to their standard deviation. (Otherwise draws of small maps would
    have larger effects and less noise than the map.) Each row is rescaled to its sum. So draws are
    exchangeable with softmax attention whose logits are such effects and independent noise of one
    normal distribution, and nearly so for other distributions (Freedman and Lane, Journal of
    Business & Economic Statistics 1 (1983) 292–298). Preserves the diagonal, out-strengths and
    effects; destroys all else.

    Weights of zero count as residuals of minus infinity: their number is preserved, but not their
    places. Rows, columns and distances without weights stay empty. A map is refused if it is so
    sparse that a row would lose all its weights.

    Parameters
    ----------
    effects
        of rows, columns, distance; if not given, rows and columns, and distance if the map has a
        grid.
    """

    name: ClassVar[str] = "permuted-residuals"
    effects: tuple[Effect, ...] | None = None

    def __post_init__(self) -> None:
        if self.effects is not None and not 0 < len(self.effects) == len(set(self.effects)):
            raise harness.HarnessError("permuted-residuals: effects must name some, each once")

    def draw(self, attention: harness.AttentionMap, *, seed: int) -> harness.AttentionMap:
        """A map (n, n) with the same effects."""
        weights = np.array(attention.weights, dtype=np.float64)
        np.fill_diagonal(weights, 0.0)
        groups = self._groups(attention)
        movable = ~np.eye(attention.n, dtype=bool)
        for group in [*groups, _rows(attention.n)]:
            movable &= (np.bincount(group.ravel(), weights.ravel()) > 0)[group]
        members = [group[movable].astype(np.intp) for group in groups]
        with np.errstate(divide="ignore"):
            fitted, residuals = _fit(np.log(weights[movable]), members)
        sums = weights.sum(axis=1)
        random = np.random.default_rng(seed)
        logits = np.full(weights.shape, -np.inf)
        for _ in range(MOST_TRIES):
            logits[movable] = permuted = random.permutation(residuals)
            if ((logits > -np.inf).any(axis=1) == (sums > 0)).all():
                logits[movable] = fitted + _cleared(permuted, members)
                return replace(attention, weights=_rescaled(logits, sums, attention))
        raise harness.HarnessError(
            f"permuted-residuals: {np.mean(weights[movable] == 0):.0%} of the weights are zero, so "
            "that permuted rows would lose all of theirs; permuted-rows takes any map"
        )

    def caveat(self) -> str:
        """The draws lose structure that noise may have, unless its effects are kept."""
        kinds: dict[Effect, lost.Structure] = {"columns": "hubs", "distance": "locality"}
        return lost.caveat(
            *(kind for effect, kind in kinds.items() if self.effects and effect not in self.effects)
        )

    def _groups(self, attention: harness.AttentionMap) -> Sequence[NDArray[Any]]:
        """For each effect the number of every pair's group, (n, n)."""
        allowed: tuple[Effect, ...] = ("rows", "columns", "distance")
        effects = self.effects or (allowed if attention.grid else allowed[:2])
        if "distance" in effects and attention.grid is None:
            raise harness.HarnessError(
                f"permuted-residuals: the map has no grid of its {attention.n} patches, and so no "
                "distances; arrays has the parameter grid=[rows,columns]"
            )
        rows = _rows(attention.n)
        groups = {"rows": rows, "columns": rows.T}
        if attention.grid is not None:
            groups["distance"] = distance_classes(*attention.grid)
        return [groups[effect] for effect in effects]


def _rows(n: int) -> harness.Integers:
    """The row of every pair, (n, n)."""
    return np.repeat(np.arange(n)[:, None], n, axis=1)


def _fit(
    logits: harness.Floats, groups: Sequence[NDArray[Any]]
) -> tuple[harness.Floats, harness.Floats]:
    """Sums of effects, and what they leave of the logits (m,): −∞ stays, and has no influence.

    groups: for each effect the group of every logit. Alternating means (backfitting) converge to
    the least-squares fit. The effect of a group without a finite logit is 0.
    """
    finite = np.isfinite(logits)
    members = [group[finite] for group in groups]
    sizes = [group.max(initial=-1) + 1 for group in groups]
    counts = [np.bincount(each, minlength=n) for each, n in zip(members, sizes, strict=True)]
    effects = [np.zeros(len(count)) for count in counts]
    mean = logits[finite].mean() if finite.any() else 0.0
    left = logits[finite] - mean
    limit = TOLERANCE * left.std() if left.size else 0.0
    for _ in range(MOST_ROUNDS):
        largest = 0.0
        for group, count, effect in zip(members, counts, effects, strict=True):
            means = np.bincount(group, left, minlength=len(count)) / np.maximum(count, 1)
            left -= means[group]
            effect += means
            largest = max(largest, float(np.abs(means).max(initial=0.0)))
        if largest <= limit:
            break
    fitted = np.full(logits.shape, mean)
    for group, effect in zip(groups, effects, strict=True):
        fitted += effect[group]
    residuals = logits.copy()
    residuals[finite] = left
    return fitted, residuals


def _cleared(residuals: harness.Floats, groups: Sequence[NDArray[Any]]) -> harness.Floats:
    """Residuals without the effects that they have by chance, with the same deviation."""
    _, left = _fit(residuals, groups)
    finite = np.isfinite(residuals)
    before, after = residuals[finite], left[finite]
    if after.any():
        left[finite] *= np.linalg.norm(before) / np.linalg.norm(after)
    return left


def _rescaled(
    logits: harness.Floats, sums: harness.Floats, attention: harness.AttentionMap
) -> NDArray[Any]:
    """Weights in proportion to exp(logits), with these sums of rows, and the map's diagonal."""
    peaks = logits.max(axis=1, initial=-np.inf)
    weights = np.exp(logits - np.where(np.isfinite(peaks), peaks, 0.0)[:, None])
    totals = weights.sum(axis=1)
    weights *= np.divide(sums, totals, out=np.zeros_like(sums), where=totals > 0)[:, None]
    np.fill_diagonal(weights, attention.weights.diagonal())
    return weights.astype(attention.weights.dtype)


@harness.hookimpl
def harness_controls() -> list[type[harness.MapControl]]:
    return [PermutedResiduals]
