"""The level of largest modularity."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

import harness
from harness_plugins.selectors.phases import largest, selection


@dataclass(frozen=True)
class MaxModularity(harness.Selector):
    """The level where modularity on the pruned graph is largest.

    A baseline for other selectors: modularity rises with sparsity on noise too, so this mostly
    selects the sparsest levels.
    """

    name: ClassVar[str] = "max-modularity"

    def select(
        self, profile: harness.Profile, controls: Sequence[harness.Profile]
    ) -> harness.Selection:
        """The first level of largest modularity, which is the statistic; NaN is skipped.

        Accepted if that modularity is positive and at least two clusters have two nodes or more.
        """
        return _selected(profile)

    def select_each(self, profiles: Sequence[harness.Profile]) -> Iterable[harness.Selection]:
        """Those of `select`, where no profile depends on others."""
        return map(_selected, profiles)


# The nulls of a group are used for each of its maps.
@lru_cache(maxsize=4096)
def _selected(profile: harness.Profile) -> harness.Selection:
    modularity = profile.modularity
    if np.isnan(modularity).all():
        reason = "modularity is undefined at every level"
        return harness.Selection(0, float("nan"), accepted=False, plateau=None, reason=reason)
    candidate = largest(modularity)
    largest_one = float(modularity[candidate])
    doubt = "" if harness.exceeds(largest_one, 0) else "is not positive"
    if not doubt and profile.n_clusters[candidate] < 2:
        doubt = "has fewer than two clusters"
    reason = f"largest modularity, {largest_one:z.3f}, at level {profile.levels[candidate]:.3g}"
    return selection(candidate, largest_one, None, reason, doubt)


@harness.hookimpl
def harness_selectors() -> list[type[harness.Selector]]:
    return [MaxModularity]
