"""Common parts of selectors: eligible levels, runs of levels, and comparison with noise."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

import harness

Run = tuple[int, int]
"""The first and the last index of consecutive levels."""


# The nulls of a group are used for each of its maps.
@lru_cache(maxsize=4096)
def connected_levels(profile: harness.Profile, minimum_giant_share: float) -> NDArray[np.bool_]:
    """Which levels (levels,) have edges and are not fragmented.

    A graph is fragmented if its largest weakly connected component contains less than the given
    fraction of the nodes: its clusters are the pieces left by pruning rather than a method's.
    """
    connected: NDArray[np.bool_] = ~np.isnan(profile.modularity) & (
        profile.column("largest_component_fraction") >= minimum_giant_share
    )
    return harness.read_only(connected)


def constant_runs(counts: Sequence[int], eligible: Sequence[bool], tolerance: int) -> list[Run]:
    """The longest runs of eligible levels whose counts differ by no more than the tolerance."""
    return runs_where(
        eligible,
        lambda first, last: (
            max(counts[first : last + 1]) - min(counts[first : last + 1]) <= tolerance
        ),
    )


def runs_where(eligible: Sequence[bool], holds: Callable[[int, int], bool]) -> list[Run]:
    """All maximal runs of eligible levels with a property, `holds`, of all their parts."""
    runs: list[Run] = []
    last = -1
    for first in range(len(eligible)):
        if not eligible[first]:
            continue
        end = max(last, first)
        while end + 1 < len(eligible) and eligible[end + 1] and holds(first, end + 1):
            end += 1
        if end > last:
            runs.append((first, end))
            last = end
    return runs


def largest(figures: harness.Floats) -> int:
    """The index of the largest figure, the first of those that tie; NaN is passed over."""
    return int(np.nanargmax(harness.merge_ties(figures)))


def selection(
    candidate: int, statistic: float, phase: Run | None, reason: str, doubt: str
) -> harness.Selection:
    """A selection with its reason, accepted unless there is a doubt."""
    whole = f"{reason}, {doubt}" if doubt else reason
    return harness.Selection(candidate, statistic, not doubt, phase, whole)


def noise_reason(reached: float, by_noise: Sequence[float], alpha: float) -> str:
    """Why a statistic does not exceed that of noise; empty if it does."""
    p = harness.p_value(reached, by_noise)
    if not harness.exceeds(p, alpha):
        return ""
    count = len(by_noise)
    if harness.exceeds(1 / (count + 1), alpha):
        return f"but {count} controls are too few to tell (at least {int(np.ceil(1 / alpha)) - 1})"
    larger = round(p * (count + 1)) - 1
    return f"but {larger} of {count} controls reach as much"
