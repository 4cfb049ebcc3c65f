"""One selection with its tests: what a selector does with a profile, and with nulls beside it."""

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
    """What the selector chooses, and its statistics on each control's draws.

    Under every control the observed profile and the draws are treated alike: each is given to
    the selector with all the others beside it. Answers {"selection", "tests"}; the selection is
    the one under the first control, tests hold by control the observed statistic and those of
    the draws. Raises HarnessError where profiles are not at the same levels, and InvalidResultError
    for what is no selection.
    """
    levels = observed.levels.tobytes()
    if any(null.levels.tobytes() != levels for drawn in nulls.values() for null in drawn):
        raise HarnessError("the controls' levels are not the image's own")
    choices = {control: _choice(selector, observed, drawn) for control, drawn in nulls.items()}
    chosen = next(iter(choices.values())) if choices else _choice(selector, observed, [])
    tests = {
        control: {
            "statistic": choices[control].statistic,
            "nulls": [
                _choice(selector, null, [observed, *drawn[:index], *drawn[index + 1 :]]).statistic
                for index, null in enumerate(drawn)
            ],
        }
        for control, drawn in nulls.items()
        if drawn
    }
    return {"selection": asdict(chosen), "tests": tests}


def _choice(selector: Selector, profile: Profile, others: Sequence[Profile]) -> Selection:
    return checks.selection(selector.select(profile, others), profile, selector.name)
