"""One selection with its tests: a selector applied to a profile and to its nulls."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict
from typing import Any

import numpy as np

from harness.engine import checks
from harness.engine.failures import ENDS_RUN
from harness.errors import HarnessError, InvalidResultError, reason_of
from harness.metrics.selection_bias import NOT_ACCEPTED, selection_bias
from harness.plugin.base import Selector
from harness.plugin.profile import Profile, Selection


def selected(
    selector: Selector,
    observed: Profile,
    nulls: Mapping[str, Sequence[Profile]],
    untested: Set[str] = frozenset(),
    own: Mapping[str, Sequence[int]] | None = None,
) -> dict[str, Any]:
    """The selection of a selector, and what it selects on each control's draws.

    Under every control the observed profile and the draws are treated alike: the selector gets
    each of them with all the others as its nulls. `own` holds, by control, the indices of the draws
    that the selection's bias is measured on; all by default. Returns {"selection", "tests"}: the
    selection under the first control that has draws, and by control, but for the untested, the
    observed statistic, the draws' statistics and candidates with the bias, or the reason why a test
    after the first failed.
    """
    drawn = {control: profiles for control, profiles in nulls.items() if profiles}
    if nulls and not drawn and selector.needs_controls:
        raise HarnessError(
            f"{selector.name}: needs a control to compare with, and there is no draw of "
            f"{' or '.join(nulls)}: none could be drawn, or clustered"
        )
    tests: dict[str, dict[str, Any]] = {}
    selection: Selection | None = None
    for control, profiles in drawn.items():
        try:
            _check_levels(observed, profiles)
            if control in untested:
                chosen = _select(selector, observed, profiles)
            else:
                chosen, *on_draws = _select_each(selector, [observed, *profiles])
                of_draws = range(len(profiles)) if own is None else own[control]
                tests[control] = {
                    "statistic": chosen.statistic,
                    **_on_draws(on_draws, profiles, of_draws),
                }
            if selection is None:
                selection = chosen
        except ENDS_RUN:
            raise
        except Exception as error:
            if control == next(iter(drawn)):
                raise
            tests[control] = {"reason": reason_of(error)}
    return {"selection": asdict(selection or _select(selector, observed, [])), "tests": tests}


def _on_draws(
    found: Sequence[Selection], draws: Sequence[Profile], own: Sequence[int]
) -> dict[str, Any]:
    """What was selected on each draw as if it were observed, and the bias on the own ones."""
    candidates = [each.candidate if each.accepted else NOT_ACCEPTED for each in found]
    modularity = np.array([draw.modularity for draw in draws])
    return {
        "nulls": [each.statistic for each in found],
        "candidates": candidates,
        "bias": asdict(selection_bias(modularity, candidates, own)),
    }


def _check_levels(observed: Profile, drawn: Sequence[Profile]) -> None:
    levels = observed.levels.tobytes()
    if any(null.levels.tobytes() != levels for null in drawn):
        raise HarnessError("the controls' levels are not the image's own")


def _select(selector: Selector, profile: Profile, others: Sequence[Profile]) -> Selection:
    return checks.selection(selector.select(profile, others), profile, selector.name)


def _select_each(selector: Selector, profiles: Sequence[Profile]) -> list[Selection]:
    """The selection on each profile with all the others as its nulls."""
    what = f"{selector.name}: select_each()"
    returned = list(checks.iterator(selector.select_each(profiles), what, "selections"))
    if len(returned) != len(profiles):
        raise InvalidResultError(
            f"{what} gave {len(returned)} selections of {len(profiles)} profiles"
        )
    return [
        checks.selection(one, profile, selector.name)
        for one, profile in zip(returned, profiles, strict=True)
    ]
