"""The level of largest modularity."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness
from harness_plugins.selectors.phases import largest, selection


@dataclass(frozen=True)
class MaxModularity(harness.Selector):
    """The level where modularity on the pruned graph is largest.

    Modularity rises with sparsity on noise as well, so this mostly selects the sparsest levels: it
    is the baseline to which other selectors are compared.
    """

    name: ClassVar[str] = "max-modularity"

    def select(
        self, profile: harness.Profile, controls: Sequence[harness.Profile]
    ) -> harness.Selection:
        """The first level of largest modularity, which is the statistic; NaN is skipped.

        Accepted if that modularity is positive and at least two clusters have two nodes or more.
        """
        modularity = profile.modularity
        if np.isnan(modularity).all():
            reason = "modularity is undefined at every level"
            return harness.Selection(0, float("nan"), accepted=False, plateau=None, reason=reason)
        candidate = largest(modularity)
        point = profile.points[candidate]
        doubt = "" if harness.exceeds(point.modularity, 0) else "is not positive"
        if not doubt and point.n_clusters < 2:
            doubt = "has fewer than two clusters"
        reason = f"largest modularity, {point.modularity:z.3f}, at level {point.level:.3g}"
        return selection(candidate, point.modularity, None, reason, doubt)


@harness.hookimpl
def harness_selectors() -> list[type[harness.Selector]]:
    return [MaxModularity]
