"""The level at which modularity exceeds the controls' most."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

import harness
from harness import Floats
from harness_plugins.parameters import check_bounds
from harness_plugins.selectors.phases import (
    Run,
    connected_levels,
    noise_reasons,
    selection,
)

# Bounds the memory of sums in several orders: figures that are summed at a time.
SUMMED_AT_ONCE = 2**18


@dataclass(frozen=True)
class ExcessModularity(harness.Selector):
    """The level where modularity stands out most from the controls'.

    Modularity rises with sparsity on noise too, so on pruned graphs it cannot be compared between
    levels. By default, the clusters of all levels are scored on one graph: the unpruned map with
    each weight replaced by its rank, which is the sum of all its pruned graphs. The score is
    Z-modularity (Miyauchi and Kawase 2016), which does not favour large communities as modularity
    does. Otherwise, the modularity on each pruned graph is compared with that of the controls at
    the same level. Levels without edges, and those whose largest connected component is too small,
    are skipped.

    Mean and standard deviation are those of all profiles, including this one: so the profile has no
    advantage that noise would not have.

    Parameters
    ----------
    by
        what is largest at the selected level. ranks: Z-modularity on the map of ranks; its mean and
        deviation are those of the largest of every profile. z: the excess of modularity over the
        mean at that level, in deviations. excess: the excess itself.
    alpha
        the level is accepted if at most this fraction of all profiles, including this one, stand
        out as much at any level; this needs at least 1/alpha − 1 controls.
    minimum_giant_share
        the fraction of all nodes that the largest weakly connected component must contain.
    """

    name: ClassVar[str] = "excess-modularity"
    needs_controls: ClassVar[bool] = True
    by: Literal["ranks", "z", "excess"] = "ranks"
    alpha: float = 0.05
    minimum_giant_share: float = 0.5

    def __post_init__(self) -> None:
        check_bounds(self, "alpha", above=0, below=1)
        check_bounds(self, "minimum_giant_share", least=0, most=1)

    def select(
        self, profile: harness.Profile, controls: Sequence[harness.Profile]
    ) -> harness.Selection:
        """The level of largest score, which is the statistic, with the phase around it.

        The score is the excess over the mean, in standard deviations but for by=excess. Of levels
        with equal scores, the one with the larger excess, then the denser one. The phase consists
        of the levels around it with the same number of clusters. Accepted if the score exceeds
        the controls' scores at all levels and there are at least two clusters of two nodes or more.
        """
        return self._selections([profile, *controls], 1)[0]

    def select_each(self, profiles: Sequence[harness.Profile]) -> Iterable[harness.Selection]:
        """Those of `select`, with what all profiles have in common computed once."""
        return self._selections(profiles, len(profiles))

    def _selections(
        self, profiles: Sequence[harness.Profile], wanted: int
    ) -> list[harness.Selection]:
        """The selections on the first profiles, each with all the others as its controls."""
        if len(profiles) < 2:
            raise harness.HarnessError(
                "excess-modularity: needs the profile of a control to compare with"
            )
        figures = np.array([each.column(self._figure) for each in profiles])
        counted = np.array([connected_levels(each, self.minimum_giant_share) for each in profiles])
        scores, excess = self._scores(figures, counted, wanted)
        best_scores = scores.max(axis=1)
        best = counted & ~harness.exceeds(best_scores[:, None], scores)
        # Of levels with equal scores the first of those whose excesses tie.
        candidates = harness.merge_ties(np.where(best, excess, -np.inf).T).argmax(axis=0)
        doubts = noise_reasons(best_scores.tolist(), self.alpha)
        of_each = profiles[:wanted], candidates.tolist(), doubts
        return [
            self._selection(profile, candidate, scores[row], excess[row], doubt)
            for row, (profile, candidate, doubt) in enumerate(zip(*of_each, strict=False))
        ]

    def _selection(
        self,
        profile: harness.Profile,
        candidate: int,
        scores: Floats,
        excess: Floats,
        doubt: str,
    ) -> harness.Selection:
        statistic = float(scores[candidate])
        if statistic == -np.inf:
            reason = "every level is without edges or fragmented"
            return harness.Selection(0, float("nan"), accepted=False, plateau=None, reason=reason)
        figure = "Z-modularity of ranks" if self.by == "ranks" else "modularity"
        reason = (
            f"{figure} {profile.column(self._figure)[candidate]:z.3f} at level "
            f"{profile.levels[candidate]:.3g} is {excess[candidate]:z.3f} above the mean"
        )
        if self.by != "excess":
            reason += f", {statistic:z.1f} standard deviations"
        if profile.n_clusters[candidate] < 2:
            doubt = "but has fewer than two clusters"
        counted = connected_levels(profile, self.minimum_giant_share)
        phase = _phase(profile.n_clusters.tolist(), counted.tolist(), candidate)
        return selection(candidate, statistic, phase, reason, doubt)

    @property
    def _figure(self) -> str:
        return "z_modularity" if self.by == "ranks" else "modularity"

    def _scores(
        self, figures: Floats, counted: NDArray[np.bool_], wanted: int
    ) -> tuple[Floats, Floats]:
        """Each profile's score, −∞ if skipped, and its excess, both (profiles, levels)."""
        # Level by level over all profiles with edges there, including fragmented ones.
        compared = figures
        if self.by == "ranks":
            largest_of_each = np.where(counted, figures, -np.inf).max(axis=1, keepdims=True)
            compared = np.where(np.isneginf(largest_of_each), np.nan, largest_of_each)
        mean, deviation = _moments(compared, wanted)
        excess = np.where(np.isnan(figures), 0.0, figures - mean)
        scores = excess
        if self.by != "excess":
            # If all are equal, none stands out.
            differ = harness.exceeds(deviation, 0)
            scores = np.divide(
                excess,
                deviation,
                out=np.zeros_like(excess),
                where=np.broadcast_to(differ, excess.shape),
            )
        return np.where(counted, scores, -np.inf), excess


def _moments(figures: Floats, wanted: int) -> tuple[Floats, Floats]:
    """The mean and deviation over profiles, NaN left out, each (profiles, figures).

    figures: (profiles, figures). They are those of all profiles, but for the last digit, as the
    first ones are summed in an order of their own: the profile itself, then the others.
    """
    count = len(figures)
    mean, deviation = np.empty((2, *figures.shape))
    defined = ~np.isnan(figures)
    number = np.maximum(defined.sum(axis=0), 1)
    at_once = max(1, SUMMED_AT_ONCE // figures.size)
    for first in range(0, wanted, at_once):
        own = np.arange(first, min(first + at_once, wanted))[:, None]
        others = np.arange(count - 1)
        order = np.hstack([own, others + (others >= own)])
        taken, known = figures[order], defined[order]
        means = np.where(known, taken, 0.0).sum(axis=1) / number
        distance = np.where(known, taken - means[:, None], 0.0)
        mean[own[:, 0]] = means
        deviation[own[:, 0]] = np.sqrt((distance**2).sum(axis=1) / number)
    # Of the others nothing but their scores is wanted, beside that of the first.
    mean[wanted:], deviation[wanted:] = mean[0], deviation[0]
    return mean, deviation


def _phase(counts: Sequence[int], counted: Sequence[bool], candidate: int) -> Run:
    """The levels around a counted one that are counted and have as many clusters."""
    first = last = candidate
    while first > 0 and counted[first - 1] and counts[first - 1] == counts[candidate]:
        first -= 1
    while last + 1 < len(counts) and counted[last + 1] and counts[last + 1] == counts[candidate]:
        last += 1
    return first, last


@harness.hookimpl
def harness_selectors() -> list[type[harness.Selector]]:
    return [ExcessModularity]
