"""What the selectors share: levels that count, runs of them, and what noise would reach."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

import harness

Run = tuple[int, int]
"""The first and the last index of consecutive levels."""


# A group's nulls are looked at again for every one of its maps.
@lru_cache(maxsize=4096)
def connected_levels(profile: harness.Profile, minimum_giant_share: float) -> NDArray[np.bool_]:
    """Which levels (levels,) have edges and are not fragmented.

    On a fragmented graph clusters are the pieces that pruning left rather than what a method
    found: its largest weakly connected component holds less than the share given.
    """
    connected: NDArray[np.bool_] = ~np.isnan(profile.modularity) & (
        profile.column("largest_component_fraction") >= minimum_giant_share
    )
    return harness.read_only(connected)


def constant_runs(counts: Sequence[int], eligible: Sequence[bool], tolerance: int) -> list[Run]:
    """The runs of eligible levels whose counts differ by no more than the tolerance.

    Each is as long as it can be; where the tolerance is not 0 they may overlap.
    """
    return runs_where(
        eligible,
        lambda first, last: (
            max(counts[first : last + 1]) - min(counts[first : last + 1]) <= tolerance
        ),
    )


def runs_where(eligible: Sequence[bool], holds: Callable[[int, int], bool]) -> list[Run]:
    """All runs of eligible levels that cannot be longer, for what holds of every part of a run.

    `holds` tells of a first and a last level; of one level alone it is taken to hold.
    """
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


def run_around(runs: Sequence[Run], level: int) -> Run | None:
    """The longest run that holds a level."""
    around = [run for run in runs if run[0] <= level <= run[1]]
    return max(around, key=lambda run: run[1] - run[0], default=None)


def noise_reason(reached: float, by_noise: Sequence[float], alpha: float) -> str:
    """Why what was reached is no more than noise reaches; empty if it is more.

    It is more where at most the share alpha of all, the observed among them, reach as much.
    """
    p = harness.p_value(reached, by_noise)
    if p <= alpha:
        return ""
    count = len(by_noise)
    if (1 / (count + 1)) > alpha:
        return f"but {count} controls are too few to tell (at least {int(np.ceil(1 / alpha)) - 1})"
    larger = round(p * (count + 1)) - 1
    return f"but {larger} of {count} controls reach as much"
