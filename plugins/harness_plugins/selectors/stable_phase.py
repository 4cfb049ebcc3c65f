"""The longest range of levels with a constant number of clusters."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

import harness
from harness_plugins.parameters import check_bounds
from harness_plugins.selectors.phases import (
    Run,
    connected_levels,
    constant_runs,
    largest,
    noise_reason,
    selection,
)


@dataclass(frozen=True)
class StablePhase(harness.Selector):
    """The best level of the longest run of levels with a constant number of clusters.

    The rule of the thesis "On the Role of Attention Maps in Visual Transformers" (2024), eq. 3.6,
    whose phases were picked by eye. Only clusters of at least two nodes count. Levels with fewer
    than two clusters, or without edges, are trivial; levels whose largest connected component is
    too small are fragmented, and their clusters are the pieces left by pruning rather than those
    of a method. Neither kind belongs to a phase. Noise has phases too: if there are controls, a
    phase is accepted only if it is longer than theirs.

    Phases P are maximal runs of |P| ≥ minimum_length levels, with a mean number of clusters k(P).
    The selected phase is

        P* = argmax |P| − cluster_penalty · k(P),

    and of equal phases the one at lower thresholds, whose graphs are denser.

    minimum_length: number of consecutive levels that make a phase.
    tolerance: the largest difference between the numbers of clusters within a phase; 0 is the
        thesis' rule, 1 allows for small fluctuations.
    cluster_penalty: number of levels that a phase must be longer, per additional cluster, to be
        preferred to a phase of fewer clusters; 0 compares lengths only.
    minimum_giant_share: the fraction of all nodes that the largest weakly connected component
        must contain. The default excludes levels at which more than half of the nodes are
        isolated or in smaller pieces.
    alpha: a phase is longer than the controls' if at most this fraction of all profiles, including
        this one, have one as long; this needs at least 1/alpha − 1 controls.
    beyond_noise: whether a phase must be longer than the controls'; false is the thesis' rule.
    """

    name: ClassVar[str] = "stable-phase"
    minimum_length: int = 3
    tolerance: int = 0
    cluster_penalty: float = 0.0
    minimum_giant_share: float = 0.5
    alpha: float = 0.05
    beyond_noise: bool = True

    def __post_init__(self) -> None:
        check_bounds(self, "minimum_length", least=1)
        check_bounds(self, "tolerance", "cluster_penalty", least=0)
        check_bounds(self, "alpha", above=0, below=1)
        check_bounds(self, "minimum_giant_share", least=0, most=1)

    def select(
        self, profile: harness.Profile, controls: Sequence[harness.Profile]
    ) -> harness.Selection:
        """The level of largest modularity in the selected phase; of equal levels, the denser one.

        The statistic is the number of levels in the phase, 0 without a phase. Not accepted without
        a phase, if none of its levels has positive modularity, or if the controls' phases are as
        long. Without a phase the candidate is the level of largest modularity among non-trivial
        levels, else among all, else the first if modularity is undefined throughout.
        """
        modularity = profile.modularity
        phase = _phase(self, profile)
        if phase is None:
            defined = ~np.isnan(modularity)
            several = defined & (profile.n_clusters >= 2)
            reason = self._why_none(several, connected_levels(profile, self.minimum_giant_share))
            eligible = several if several.any() else defined
            candidate = largest(np.where(eligible, modularity, -np.inf))
            return harness.Selection(candidate, 0.0, False, None, reason)
        first, last = phase
        candidate = first + largest(modularity[first : last + 1])
        length = float(_length(phase))
        doubt = ""
        if not harness.exceeds(modularity[candidate], 0):
            doubt = "but without positive modularity"
        elif self.beyond_noise and controls:
            by_noise = [_length(_phase(self, each)) for each in controls]
            doubt = noise_reason(length, by_noise, self.alpha)
        return selection(candidate, length, phase, _description(profile, phase), doubt)

    def _why_none(self, several: NDArray[np.bool_], connected: NDArray[np.bool_]) -> str:
        if not several.any():
            return "no level has two clusters of two nodes"
        if not (several & connected).any():
            return "every level with two clusters or more is fragmented"
        return (
            f"no number of clusters lasts for {self.minimum_length} consecutive levels that are "
            "neither trivial nor fragmented"
        )


# The nulls of a group are used for each of its maps.
@lru_cache(maxsize=4096)
def _phase(selector: StablePhase, profile: harness.Profile) -> Run | None:
    counts = profile.n_clusters
    whole = connected_levels(profile, selector.minimum_giant_share) & (counts >= 2)
    runs = constant_runs(counts.tolist(), whole.tolist(), selector.tolerance)

    def penalised_length(phase: Run) -> float:
        mean = float(counts[phase[0] : phase[1] + 1].mean())
        return _length(phase) - selector.cluster_penalty * mean

    # Runs are in the order of levels.
    phases = [run for run in runs if _length(run) >= selector.minimum_length]
    return phases[largest(np.array([*map(penalised_length, phases)]))] if phases else None


def _length(phase: Run | None) -> int:
    return 0 if phase is None else phase[1] - phase[0] + 1


def _description(profile: harness.Profile, phase: Run) -> str:
    first, last = phase
    counts = profile.n_clusters[first : last + 1]
    fewest, most = counts.min(), counts.max()
    clusters = f"{fewest}" if fewest == most else f"{fewest} to {most}"
    return (
        f"{clusters} clusters at {_length(phase)} consecutive levels, "
        f"{profile.levels[first]:.3g} … {profile.levels[last]:.3g}"
    )


@harness.hookimpl
def harness_selectors() -> list[type[harness.Selector]]:
    return [StablePhase]
