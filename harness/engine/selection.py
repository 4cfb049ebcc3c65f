"""One selection with its tests: a selector applied to a profile and to its nulls."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from harness.engine import checks
from harness.errors import HarnessError
from harness.plugin.base import Selector
from harness.plugin.profile import Profile, Selection


def selected(
    selector: Selector, observed: Profile, nulls: Mapping[str, Sequence[Profile]]
) -> dict[str, Any]:
    """The selection of a selector, and its statistics on each control's draws.

    Under every control the observed profile and the draws are treated alike: the selector gets
    each of them with all the others as its nulls. Returns {"selection", "tests"}: the selection
    under the first control, and by control the observed statistic and those of the draws.
    """
    levels = observed.levels.tobytes()
    if any(null.levels.tobytes() != levels for drawn in nulls.values() for null in drawn):
        raise HarnessError("the controls' levels are not the image's own")
    selections = {control: _select(selector, observed, drawn) for control, drawn in nulls.items()}
    selection = next(iter(selections.values())) if selections else _select(selector, observed, [])
    tests = {
        control: {
            "statistic": selections[control].statistic,
            "nulls": [
                _select(selector, null, [observed, *drawn[:index], *drawn[index + 1 :]]).statistic
                for index, null in enumerate(drawn)
            ],
        }
        for control, drawn in nulls.items()
        if drawn
    }
    return {"selection": asdict(selection), "tests": tests}


def _select(selector: Selector, profile: Profile, others: Sequence[Profile]) -> Selection:
    return checks.selection(selector.select(profile, others), profile, selector.name)
