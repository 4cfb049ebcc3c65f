"""The level at which modularity exceeds the controls' most."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

import harness
from harness import Floats
from harness_plugins.parameters import check_bounds
from harness_plugins.selectors.phases import (
    connected_levels,
    constant_runs,
    largest,
    noise_reason,
    selection,
)


@dataclass(frozen=True)
class ExcessModularity(harness.Selector):
    """The level where modularity stands out most from the controls'.

    Modularity rises with sparsity on noise as well, so on pruned graphs it cannot be compared
    between levels. There are two ways out. Score the clusters of all levels on one graph: the
    unpruned map with each weight replaced by its rank, which is the sum of all graphs that pruning
    makes of the map, and so gives every density its say. As communities are small at some levels
    and large at others, the score there is Z-modularity (Miyauchi and Kawase 2016), which does not
    prefer large ones as modularity does. Or compare the modularity on each pruned graph with that
    of the controls at the same level. Levels without edges, and those whose largest connected
    component is too small, are skipped.

    Mean and standard deviation are those of all profiles, this one and the controls: as all are
    treated alike, the profile has no advantage that noise would not have.

    by: what is largest at the level. ranks: Z-modularity on the map of ranks; its mean and
        deviation are those of the largest of every profile. z: the excess of modularity over the
        mean at that level, in deviations. excess: the excess itself.
    alpha: the level is accepted if at most this fraction of all profiles, including this one,
        stand out as much at any level; this needs at least 1/alpha − 1 controls.
    minimum_giant_share: the fraction of all nodes that the largest weakly connected component
        must contain.
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
        if not controls:
            raise harness.HarnessError(
                "excess-modularity: needs the profile of a control to compare with"
            )
        scores, excess = self._scores([profile, *controls])
        own = scores[0]
        if np.isneginf(own).all():
            reason = "every level is without edges or fragmented"
            return harness.Selection(0, float("nan"), accepted=False, plateau=None, reason=reason)
        best = np.flatnonzero(~harness.exceeds(own.max(), own))
        candidate = int(best[largest(excess[0, best])])
        statistic = float(own[candidate])
        point = profile.points[candidate]
        figure = "Z-modularity of ranks" if self.by == "ranks" else "modularity"
        value = profile.column(self._figure)[candidate]
        reason = (
            f"{figure} {value:z.3f} at level {point.level:.3g} is "
            f"{excess[0, candidate]:z.3f} above the mean"
        )
        if self.by != "excess":
            reason += f", {statistic:z.1f} standard deviations"
        if point.n_clusters < 2:
            doubt = "but has fewer than two clusters"
        else:
            doubt = noise_reason(statistic, scores[1:].max(axis=1).tolist(), self.alpha)
        counted = connected_levels(profile, self.minimum_giant_share)
        runs = constant_runs(profile.n_clusters.tolist(), counted.tolist(), tolerance=0)
        # Without tolerance runs do not overlap.
        phase = next((run for run in runs if run[0] <= candidate <= run[1]), None)
        return selection(candidate, statistic, phase, reason, doubt)

    @property
    def _figure(self) -> str:
        return "z_modularity" if self.by == "ranks" else "modularity"

    def _scores(self, pool: Sequence[harness.Profile]) -> tuple[Floats, Floats]:
        """Each profile's score, −∞ if skipped, and its excess, both (profiles, levels)."""
        figures = np.array([each.column(self._figure) for each in pool])
        counts = np.array([connected_levels(each, self.minimum_giant_share) for each in pool])
        # Level by level over all profiles with edges there, including fragmented ones.
        compared = figures
        if self.by == "ranks":
            largest_of_each = np.where(counts, figures, -np.inf).max(axis=1, keepdims=True)
            compared = np.where(np.isneginf(largest_of_each), np.nan, largest_of_each)
        defined = ~np.isnan(compared)
        number = np.maximum(defined.sum(axis=0), 1)
        mean = np.where(defined, compared, 0.0).sum(axis=0) / number
        distance = np.where(defined, compared - mean, 0.0)
        deviation = np.sqrt((distance**2).sum(axis=0) / number)
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
        return np.where(counts, scores, -np.inf), excess


@harness.hookimpl
def harness_selectors() -> list[type[harness.Selector]]:
    return [ExcessModularity]
