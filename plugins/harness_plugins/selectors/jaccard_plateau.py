"""The longest range of levels whose partitions are all alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

import harness
from harness import Floats
from harness_plugins.parameters import check_bounds
from harness_plugins.selectors.phases import (
    Run,
    connected_levels,
    noise_reason,
    runs_where,
)


@dataclass(frozen=True)
class JaccardPlateau(harness.Selector):
    """The most central level of the largest block of levels with mutually similar partitions.

    Two levels of equally many clusters may part the nodes quite differently; here it is the
    partitions that must not change. A block are consecutive levels of which every two are alike
    by the best-match Jaccard index, as PyGenStability (Arnaudon et al. 2024) looks for blocks of
    small variation of information across scales. Trivial levels, of a single cluster or of
    singletons only, and fragmented ones belong to no block. Since pruned graphs are nested,
    neighbouring levels are alike on noise too: a block counts where it is larger than the
    controls'.

    likeness: the smallest Jaccard index between any two partitions of a block; clusters of .75
        and more are held to be valid (Hennig 2007).
    minimum_length: how many consecutive levels make a block.
    alpha: a block is accepted if no more than this share of all profiles, this one among them,
        have one as large; that takes 1/alpha − 1 controls or more. Without controls every block
        is accepted.
    minimum_giant_share: the share of all nodes that the largest weakly connected component must
        hold.
    """

    name: ClassVar[str] = "jaccard-plateau"
    likeness: float = 0.75
    minimum_length: int = 3
    alpha: float = 0.05
    minimum_giant_share: float = 0.5

    def __post_init__(self) -> None:
        check_bounds(self, "likeness", above=0, most=1)
        check_bounds(self, "minimum_length", least=1)
        check_bounds(self, "alpha", above=0, below=1)
        check_bounds(self, "minimum_giant_share", least=0, most=1)

    def select(
        self, profile: harness.Profile, controls: Sequence[harness.Profile]
    ) -> harness.Selection:
        """The level of the largest block that is most like its others, with the block.

        The statistic is the block's size: its levels times the mean likeness of any two of them,
        each with itself included; 0 where there is none. Of blocks of equal size the denser one.
        Not accepted where there is none or the controls have such too; without one the candidate
        is the level of largest modularity.
        """
        block, size = self._largest_block(profile)
        if block is None:
            modularity = profile.modularity
            candidate = int(np.argmax(np.where(np.isnan(modularity), -np.inf, modularity)))
            reason = f"no partition lasts for {self.minimum_length} consecutive levels"
            return harness.Selection(candidate, 0.0, accepted=False, plateau=None, reason=reason)
        first, last = block
        within = _likeness_between_levels(profile)[first : last + 1, first : last + 1]
        candidate = first + int(np.argmax(within.mean(axis=0)))
        reason = (
            f"the partitions of {last - first + 1} consecutive levels, "
            f"{profile.levels[first]:.3g} … {profile.levels[last]:.3g}, are alike "
            f"(Jaccard {within.min():.2f} or more)"
        )
        doubt = ""
        if controls:
            sizes = [self._largest_block(control)[1] for control in controls]
            doubt = noise_reason(size, sizes, self.alpha)
        return harness.Selection(
            candidate, size, not doubt, block, f"{reason}, {doubt}" if doubt else reason
        )

    def _largest_block(self, profile: harness.Profile) -> tuple[Run | None, float]:
        return _largest_block(profile, self.likeness, self.minimum_length, self.minimum_giant_share)


# A group's nulls are looked at again for every one of its maps.
@lru_cache(maxsize=4096)
def _largest_block(
    profile: harness.Profile, likeness: float, minimum_length: int, minimum_giant_share: float
) -> tuple[Run | None, float]:
    """The block of largest size, the densest of those, and its size; (None, 0) without one."""
    alike = _likeness_between_levels(profile)
    counted = connected_levels(profile, minimum_giant_share) & ~np.isnan(alike.diagonal())
    blocks = [
        (first, last)
        for first, last in runs_where(
            counted.tolist(),
            lambda first, last: bool((alike[first:last, last] >= likeness).all()),
        )
        if last - first + 1 >= minimum_length
    ]
    sizes = [
        float(alike[first : last + 1, first : last + 1].mean(axis=0).sum())
        for first, last in blocks
    ]
    if not blocks:
        return None, 0.0
    largest = int(np.argmax(sizes))
    return blocks[largest], sizes[largest]


@lru_cache(maxsize=4096)
def _likeness_between_levels(profile: harness.Profile) -> Floats:
    """The best-match Jaccard index of every two levels (levels, levels); NaN for trivial ones."""
    return harness.read_only(harness.best_match_jaccards(profile.labels))


@harness.hookimpl
def harness_selectors() -> list[type[harness.Selector]]:
    return [JaccardPlateau]
