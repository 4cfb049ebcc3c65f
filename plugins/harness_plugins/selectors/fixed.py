"""A level given in advance."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

import harness
from harness_plugins.parameters import check_bounds
from harness_plugins.selectors.phases import largest, selection


@dataclass(frozen=True)
class Fixed(harness.Selector):
    """The level nearest to a given one, the same for every map.

    Parameters
    ----------
    level
        a value on the graph builder's axis; for densities, the fraction of pairs dropped.
    """

    name: ClassVar[str] = "fixed"
    level: float

    def __post_init__(self) -> None:
        check_bounds(self, "level", least=0)

    def select(
        self, profile: harness.Profile, controls: Sequence[harness.Profile]
    ) -> harness.Selection:
        """The nearest level, the denser one of two; the statistic is its modularity.

        Accepted if the graph has an edge and at least two clusters have two nodes or more.
        """
        return _nearest(self, profile)

    def select_each(self, profiles: Sequence[harness.Profile]) -> Iterable[harness.Selection]:
        """Those of `select`, where no profile depends on others."""
        return (_nearest(self, profile) for profile in profiles)


# The nulls of a group are used for each of its maps.
@lru_cache(maxsize=4096)
def _nearest(selector: Fixed, profile: harness.Profile) -> harness.Selection:
    levels = profile.levels
    outside = max(levels[0] - selector.level, selector.level - levels[-1])
    if harness.exceeds(outside, np.diff(levels).max(initial=0.0) / 2):
        raise harness.HarnessError(
            f"fixed: level {selector.level:g} is not among the levels of this run, "
            f"{levels[0]:g} … {levels[-1]:g}"
        )
    candidate = largest(-np.abs(levels - selector.level))
    modularity = float(profile.modularity[candidate])
    doubt = "but its graph has no edges" if np.isnan(modularity) else ""
    if not doubt and profile.n_clusters[candidate] < 2:
        doubt = "but it has fewer than two clusters"
    reason = f"level {levels[candidate]:.3g} is the nearest to {selector.level:g}"
    return selection(candidate, modularity, None, reason, doubt)


@harness.hookimpl
def harness_selectors() -> list[type[harness.Selector]]:
    return [Fixed]
