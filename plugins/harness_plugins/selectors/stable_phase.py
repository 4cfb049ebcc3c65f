"""The longest range of levels over which the number of clusters does not change."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

import harness

Run = tuple[int, int]
"""The first and the last index of consecutive levels."""


@dataclass(frozen=True)
class StablePhase(harness.Selector):
    """The best level of the longest run of levels with a constant number of clusters.

    The rule of the thesis "On the Role of Attention Maps in Visual Transformers" (2024), eq. 3.6,
    whose phases were picked by eye. Clusters are those of at least two nodes. Levels with fewer
    than two of them, or without edges, are trivial; levels whose largest connected component is
    too small are fragmented, and their clusters are the pieces that pruning left rather than what
    a method found. Neither kind belongs to a phase.

    minimum_length: how many consecutive levels make a phase.
    tolerance: the largest difference between the numbers of clusters within a phase; 0 is the
        thesis' rule, 1 allows for methods whose count flickers.
    minimum_giant_share: the share of all nodes that the largest weakly connected component must
        hold. At the default no level passes where more than half the nodes are isolated or lie
        in smaller pieces.
    """

    name: ClassVar[str] = "stable-phase"
    minimum_length: int = 3
    tolerance: int = 0
    minimum_giant_share: float = 0.5

    def __post_init__(self) -> None:
        if self.minimum_length < 1:
            raise harness.HarnessError(
                f"stable-phase: minimum_length must be at least 1, not {self.minimum_length}"
            )
        if self.tolerance < 0:
            raise harness.HarnessError(
                f"stable-phase: tolerance must be at least 0, not {self.tolerance}"
            )
        if not 0 <= self.minimum_giant_share <= 1:
            raise harness.HarnessError(
                "stable-phase: minimum_giant_share must be between 0 and 1, not "
                f"{self.minimum_giant_share}"
            )

    def select(
        self, profile: harness.Profile, controls: Sequence[harness.Profile]
    ) -> harness.Selection:
        """The level of largest modularity, which is the statistic, inside the longest phase.

        Of phases as long as each other the one of higher mean modularity, then the denser one.
        Not accepted where there is no phase, or none of its levels has positive modularity; the
        candidate is then the level of largest modularity among those that are not trivial, or
        among all, or the first if modularity is undefined throughout.
        """
        modularity = profile.modularity
        defined = ~np.isnan(modularity)
        several = defined & (profile.n_clusters >= 2)
        whole = several & (profile.column("giant_share") >= self.minimum_giant_share)
        phase = self._longest_phase(profile, whole)
        if phase is None:
            reason = self._why_none(several, whole)
        else:
            first, last = phase
            candidate = first + int(np.argmax(modularity[first : last + 1]))
            statistic = float(modularity[candidate])
            reason = _description(profile, phase)
            if statistic > 0:
                return harness.Selection(candidate, statistic, True, phase, reason)
            reason += ", but of no positive modularity"
        eligible = several if several.any() else defined
        candidate = int(np.argmax(np.where(eligible, modularity, -np.inf)))
        return harness.Selection(candidate, float(modularity[candidate]), False, None, reason)

    def _longest_phase(self, profile: harness.Profile, whole: NDArray[np.bool_]) -> Run | None:
        runs = _constant_runs(profile.n_clusters.tolist(), whole.tolist(), self.tolerance)
        longest = max((last - first + 1 for first, last in runs), default=0)
        if longest < self.minimum_length:
            return None
        return max(
            (run for run in runs if run[1] - run[0] + 1 == longest),
            key=lambda run: profile.modularity[run[0] : run[1] + 1].mean(),
        )

    def _why_none(self, several: NDArray[np.bool_], whole: NDArray[np.bool_]) -> str:
        if not several.any():
            return "no level has two clusters of two nodes"
        if not whole.any():
            return "every level with two clusters or more is fragmented"
        return (
            f"no number of clusters lasts for {self.minimum_length} consecutive levels that are "
            "neither trivial nor fragmented"
        )


def _constant_runs(counts: list[int], eligible: list[bool], tolerance: int) -> list[Run]:
    """The runs of eligible levels whose counts differ by no more than the tolerance.

    Each is as long as it can be; where the tolerance is not 0 they may overlap.
    """
    runs: list[Run] = []
    for first in range(len(counts)):
        last = first
        while (
            last < len(counts)
            and eligible[last]
            and max(counts[first : last + 1]) - min(counts[first : last + 1]) <= tolerance
        ):
            last += 1
        if last > first and (not runs or last - 1 > runs[-1][1]):
            runs.append((first, last - 1))
    return runs


def _description(profile: harness.Profile, phase: Run) -> str:
    first, last = phase
    counts = profile.n_clusters[first : last + 1]
    fewest, most = counts.min(), counts.max()
    clusters = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    return (
        f"{clusters} clusters at {last - first + 1} consecutive levels, "
        f"{profile.levels[first]:.3g} … {profile.levels[last]:.3g}"
    )


@harness.hookimpl
def harness_selectors() -> list[type[harness.Selector]]:
    """The selector of this module."""
    return [StablePhase]
