"""my-method: a selector."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class MyMethod(harness.Selector):
    """Chooses the level of largest modularity that has enough clusters.

    Parameters
    ----------
    fewest
        Clusters of two patches or more that a level must have.
    """

    name: ClassVar[str] = "my-method"
    fewest: int = 2

    def select(
        self, profile: harness.Profile, controls: Sequence[harness.Profile]
    ) -> harness.Selection:
        """The level, accepted if its modularity is larger than any of the controls' at it."""
        # Modularity is NaN where a graph has no edge.
        eligible = (profile.n_clusters >= self.fewest) & ~np.isnan(profile.modularity)
        if not eligible.any():
            reason = f"no level has {self.fewest} clusters"
            return harness.Selection(0, float("nan"), accepted=False, reason=reason)
        level = int(np.where(eligible, profile.modularity, -np.inf).argmax())
        largest = float(profile.modularity[level])
        noise = [control.modularity[level] for control in controls]
        accepted = largest > np.nanmax([*noise, 0.0])
        return harness.Selection(level, largest, accepted, reason=f"modularity {largest:.3f}")


@harness.hookimpl
def harness_selectors() -> list[type[harness.Selector]]:
    """The selector of this module."""
    return [MyMethod]
