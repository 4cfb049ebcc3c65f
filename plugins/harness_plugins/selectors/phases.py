"""Common parts of selectors: eligible levels, runs of levels, and comparison with noise."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
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


def beyond_noise(found: Sequence[harness.Selection], alpha: float) -> Iterable[harness.Selection]:
    """The selections on some profiles, accepted only if few of the others' statistics are as large.

    Those of a single profile, which has nothing to be compared with, stay as they are.
    """
    if len(found) < 2:
        return found
    doubts = noise_reasons([each.statistic for each in found], alpha)
    return [
        dataclasses.replace(each, accepted=False, reason=f"{each.reason}, {doubt}")
        if each.accepted and doubt
        else each
        for each, doubt in zip(found, doubts, strict=True)
    ]


def noise_reasons(statistics: Sequence[float], alpha: float) -> list[str]:
    """Why each profile's statistic does not exceed those of all others; empty if it does.

    p is that of `harness.p_value`, of each one with the others as the null's draws.
    """
    merged, profiles = harness.merge_ties(statistics), len(statistics)
    as_large = profiles - np.searchsorted(np.sort(merged), merged)
    doubtful = harness.exceeds(as_large / profiles, alpha).tolist()
    count = profiles - 1
    if harness.exceeds(1 / profiles, alpha):
        few = f"but {count} controls are too few to tell (at least {int(np.ceil(1 / alpha)) - 1})"
        return [few] * profiles
    return [
        f"but {larger - 1} of {count} controls reach as much" if doubt else ""
        for larger, doubt in zip(as_large.tolist(), doubtful, strict=True)
    ]
