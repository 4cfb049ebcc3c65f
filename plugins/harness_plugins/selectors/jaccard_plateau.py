"""The longest range of levels with mutually similar partitions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np

import harness
from harness import Floats
from harness_plugins.parameters import check_bounds
from harness_plugins.selectors.phases import (
    Run,
    beyond_noise,
    connected_levels,
    largest,
    runs_where,
    selection,
)


@dataclass(frozen=True)
class JaccardPlateau(harness.Selector):
    """The most central level of the largest block of levels with mutually similar partitions.

    Two levels with the same number of clusters may have very different partitions; here the
    partitions must not change. A block consists of consecutive levels, any two of which are
    similar by the best-match Jaccard index, as PyGenStability (Arnaudon et al. 2024) looks for
    blocks of small variation of information across scales. Trivial levels, with a single cluster
    or only singletons, and fragmented levels belong to no block. As pruned graphs are nested,
    neighbouring levels are similar on noise too, so a block must be larger than the controls'.

    Parameters
    ----------
    likeness
        the smallest Jaccard index between any two partitions of a block; clusters of .75 and more
        are considered valid (Hennig 2007).
    minimum_length
        number of consecutive levels that make a block.
    alpha
        a block is accepted if at most this fraction of all profiles, including this one, have one
        as large; this needs at least 1/alpha − 1 controls. Without controls every block is
        accepted.
    minimum_giant_share
        the fraction of all nodes that the largest weakly connected component must contain.
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
        """The level of the largest block that is most similar to the others, with the block.

        The statistic is the block's size: its number of levels times the mean similarity of all
        pairs of them, including each with itself; 0 without a block. Of blocks of equal size, the
        denser one. Not accepted without a block, or if the controls have blocks as large; without
        a block the candidate is the level of largest modularity.
        """
        return next(iter(self.select_each([profile, *controls])))

    def select_each(self, profiles: Sequence[harness.Profile]) -> Iterable[harness.Selection]:
        """Those of `select`, each block being found once."""
        return beyond_noise([_plateau(self, profile) for profile in profiles], self.alpha)


# The nulls of a group are used for each of its maps.
@lru_cache(maxsize=4096)
def _plateau(selector: JaccardPlateau, profile: harness.Profile) -> harness.Selection:
    """The selection that does not ask whether noise has such blocks."""
    similarity = _similarity_of_levels(profile)
    block, size = _largest_block(selector, profile, similarity)
    if block is None:
        modularity = profile.modularity
        candidate = largest(np.where(np.isnan(modularity), -np.inf, modularity))
        reason = f"no partition lasts for {selector.minimum_length} consecutive levels"
        return harness.Selection(candidate, 0.0, accepted=False, plateau=None, reason=reason)
    first, last = block
    within = similarity[first : last + 1, first : last + 1]
    candidate = first + largest(within.mean(axis=0))
    reason = (
        f"the partitions of {last - first + 1} consecutive levels, "
        f"{profile.levels[first]:.3g} … {profile.levels[last]:.3g}, are similar "
        f"(Jaccard {within.min():.2f} or more)"
    )
    return selection(candidate, size, block, reason, "")


def _largest_block(
    selector: JaccardPlateau, profile: harness.Profile, similarity: Floats
) -> tuple[Run | None, float]:
    """The largest block, the densest of equal ones, and its size; (None, 0) without a block."""
    counted = connected_levels(profile, selector.minimum_giant_share) & ~np.isnan(
        similarity.diagonal()
    )
    blocks = [
        (first, last)
        for first, last in runs_where(
            counted.tolist(),
            lambda first, last: (
                not harness.exceeds(selector.likeness, similarity[first:last, last]).any()
            ),
        )
        if last - first + 1 >= selector.minimum_length
    ]
    sizes = [
        float(similarity[first : last + 1, first : last + 1].mean(axis=0).sum())
        for first, last in blocks
    ]
    if not blocks:
        return None, 0.0
    best = largest(np.array(sizes))
    return blocks[best], sizes[best]


@lru_cache(maxsize=4096)
def _similarity_of_levels(profile: harness.Profile) -> Floats:
    """The best-match Jaccard index of all pairs of levels (levels, levels); NaN if trivial."""
    return harness.read_only(harness.best_match_jaccards(profile.labels))


@harness.hookimpl
def harness_selectors() -> list[type[harness.Selector]]:
    return [JaccardPlateau]
