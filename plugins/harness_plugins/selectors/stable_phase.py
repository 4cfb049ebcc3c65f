"""The longest range of levels with a constant number of clusters."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

import harness
from harness_plugins.parameters import check_bounds
from harness_plugins.selectors.phases import (
    Run,
    beyond_noise,
    connected_levels,
    constant_runs,
    largest,
    selection,
)


@dataclass(frozen=True)
class StablePhase(harness.Selector):
    """The best level of the longest run of levels with a constant number of clusters.

    The rule of the thesis "On the Role of Attention Maps in Visual Transformers" (2024), eq. 3.6,
    whose phases were picked by eye. Only clusters of at least two nodes count. Levels with fewer
    than two clusters, or without edges, are trivial; levels whose largest connected component is
    too small are fragmented: their clusters are pieces left by pruning, not found by a method.
    Neither kind belongs to a phase. Noise has phases too: if there are controls, a phase is
    accepted only if it is longer than theirs.

    Phases P are maximal runs of |P| ≥ minimum_length levels, with a mean number of clusters k(P).
    The selected phase is

        P* = argmax |P| − cluster_penalty · k(P),

    and of equal phases the one at lower thresholds, whose graphs are denser.

    Parameters
    ----------
    minimum_length
        number of consecutive levels that make a phase.
    tolerance
        the largest difference between the numbers of clusters within a phase; 0 is the thesis'
        rule, 1 allows for small fluctuations.
    cluster_penalty
        how many levels longer a phase must be, per additional cluster, to be preferred to a phase
        of fewer clusters; 0 compares only lengths.
    minimum_giant_share
        the fraction of all nodes that the largest weakly connected component must contain. The
        default excludes levels at which more than half of the nodes are isolated or in smaller
        pieces.
    alpha
        a phase is longer than the controls' if at most this fraction of all profiles, including
        this one, have one as long; this needs at least 1/alpha − 1 controls.
    beyond_noise
        whether a phase must be longer than the controls'; false is the thesis' rule.
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
        return next(iter(self.select_each([profile, *controls])))

    def select_each(self, profiles: Sequence[harness.Profile]) -> Iterable[harness.Selection]:
        """Those of `select`, each phase being found once."""
        found = [_thesis_phase(self, profile) for profile in profiles]
        return beyond_noise(found, self.alpha) if self.beyond_noise else found


# The nulls of a group are used for each of its maps.
@lru_cache(maxsize=4096)
def _thesis_phase(selector: StablePhase, profile: harness.Profile) -> harness.Selection:
    """The selection by the thesis' rule, which does not ask whether noise has such phases."""
    modularity, phase = profile.modularity, _phase(selector, profile)
    if phase is None:
        defined = ~np.isnan(modularity)
        several = defined & (profile.n_clusters >= 2)
        reason = _why_none(selector, several, profile)
        eligible = several if several.any() else defined
        candidate = largest(np.where(eligible, modularity, -np.inf))
        return harness.Selection(candidate, 0.0, False, None, reason)
    first, last = phase
    candidate = first + largest(modularity[first : last + 1])
    is_positive = harness.exceeds(modularity[candidate], 0)
    doubt = "" if is_positive else "but without positive modularity"
    description = _description(profile, phase)
    return selection(candidate, float(_length(phase)), phase, description, doubt)


def _why_none(selector: StablePhase, several: NDArray[np.bool_], profile: harness.Profile) -> str:
    if not several.any():
        return "no level has two clusters of two nodes"
    if not (several & connected_levels(profile, selector.minimum_giant_share)).any():
        return "every level with two clusters or more is fragmented"
    return (
        f"no number of clusters lasts for {selector.minimum_length} consecutive levels that are "
        "neither trivial nor fragmented"
    )


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
