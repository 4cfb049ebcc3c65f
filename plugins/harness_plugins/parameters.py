"""Checks of components' parameters, with one wording for all of them."""

import math
import operator
from typing import Any

from harness import HarnessError

# Each bound's words, and the comparison that a value within it passes.
BOUNDS = {
    "least": ("at least", operator.ge),
    "above": ("above", operator.gt),
    "most": ("at most", operator.le),
    "below": ("below", operator.lt),
}


def check_bounds(component: Any, *parameters: str, **bounds: float | None) -> None:
    """Raise HarnessError if a parameter, unless None, violates least, above, most or below."""
    for parameter in parameters:
        value = getattr(component, parameter)
        if value is not None:
            check_value(component.name, parameter, value, **bounds)


def check_value(owner: str, what: str, value: float, **bounds: float | None) -> None:
    """Raise HarnessError, naming the owner and the value, if it is out of bounds or not finite."""
    given = [(*BOUNDS[name], bound) for name, bound in bounds.items() if bound is not None]
    if -math.inf < value < math.inf and all(holds(value, bound) for _, holds, bound in given):
        return
    allowed = " and ".join(f"{words} {bound}" for words, _, bound in given)
    if [words for words, *_ in given] == ["at least", "at most"]:
        allowed = f"{bounds['least']} … {bounds['most']}"
    if abs(value) == math.inf:
        allowed += " and finite"
    raise HarnessError(f"{owner}: {what} must be {allowed}, not {value}")
