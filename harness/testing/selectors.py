"""What selectors keep to."""

import time
from collections.abc import Sequence

import numpy as np

from harness.engine import checks
from harness.errors import reason_of
from harness.plugin.base import Selector
from harness.plugin.profile import Profile, Selection
from harness.testing.inputs import profile
from harness.testing.law import BrokenLawError, law, require, seconds_since

# Figures by level, with one clear peak.
PEAK = (0.1, 0.15, 0.2, 0.5, 0.55, 0.5, 0.2, 0.15, 0.1, 0.1)


def noise(count: int, levels: int = len(PEAK)) -> list[Profile]:
    """Profiles of low modularity, as those of a control's draws."""
    random = np.random.default_rng(0)
    return [profile(random.uniform(0.05, 0.15, levels)) for _ in range(count)]


def selected(selector: Selector, observed: Profile, controls: Sequence[Profile]) -> Selection:
    """The valid selection on a profile; raises InvalidResultError for others."""
    return checks.selection(selector.select(observed, controls), observed, selector.name)


@law(
    Selector,
    advice="return harness.Selection(candidate, statistic, accepted) with a level of the profile",
)
def a_level_of_the_profile_is_selected(selector: Selector) -> None:
    selected(selector, profile(PEAK), noise(20))


@law(Selector, advice="use no random numbers, and keep nothing from one call to the next")
def the_same_profile_gives_the_same_selection(selector: Selector) -> None:
    first, second = (selected(selector, profile(PEAK), noise(20)) for _ in range(2))
    require(repr(first) == repr(second), f"two calls select {first} and {second}")


@law(Selector, advice="return accepted=False if no level has two clusters")
def a_flat_profile_without_clusters_is_not_accepted(selector: Selector) -> None:
    flat = [profile(np.zeros(10), [np.zeros(20, dtype=int)] * 10) for _ in range(21)]
    found = selected(selector, flat[0], flat[1:])
    require(
        not found.accepted, f"level {found.candidate} is accepted: {found.reason or 'no reason'}"
    )


@law(Selector, advice="expect NaN, which is the modularity of a graph without edges")
def levels_without_edges_are_no_obstacle(selector: Selector) -> None:
    for what, figures in (("the last levels", [*PEAK[:7], *[np.nan] * 3]), ("all", [np.nan] * 10)):
        controls = [profile(figures)] * 20
        try:
            found = selected(selector, profile(figures), controls)
        except Exception as error:
            line = f"a profile without edges at {what} fails: {reason_of(error)}"
            raise BrokenLawError(line) from error
        is_sound = not found.accepted or not np.isnan(figures[found.candidate])
        require(is_sound, f"a level without edges is accepted: {found.reason or 'no reason'}")


@law(
    Selector,
    advice="set needs_controls: ClassVar[bool] = True, so that a run without controls is refused "
    "before it begins",
)
def it_says_whether_it_needs_controls(selector: Selector) -> None:
    if not selector.needs_controls:
        try:
            selected(selector, profile(PEAK), [])
        except Exception as error:
            raise BrokenLawError(f"without controls it fails: {reason_of(error)}") from error


@law(Selector, advice="let select_each give what select gives for each, all others its controls")
def selections_on_all_are_those_on_each(selector: Selector) -> None:
    profiles = [profile(PEAK), *noise(20)]
    together = list(checks.iterator(selector.select_each(profiles), "select_each()", "selections"))
    require(
        len(together) == len(profiles), f"{len(together)} selections of {len(profiles)} profiles"
    )
    for index, found in enumerate(together):
        others = [*profiles[:index], *profiles[index + 1 :]]
        alone = selected(selector, profiles[index], others)
        require(
            repr(checks.selection(found, profiles[index], selector.name)) == repr(alone),
            f"select_each gives {found} where select gives {alone}",
        )


@law(Selector, advice="override select_each, and compute what the profiles share only once")
def forty_profiles_of_32_levels_are_compared(selector: Selector) -> str:
    profiles = [profile(np.resize(PEAK, 32)), *noise(39, 32)]
    started = time.perf_counter()
    list(selector.select_each(profiles))
    return seconds_since(started)
