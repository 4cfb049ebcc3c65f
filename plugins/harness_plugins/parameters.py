"""Checks of components' parameters, with one wording for all of them."""

import math
from typing import Any, get_args, get_type_hints

from harness import HarnessError


def check_bounds(
    component: Any,
    *parameters: str,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
) -> None:
    """Raise HarnessError if one of the parameters, unless it is None, is out of bounds.

    NaN and infinite values are out of any bounds.
    """
    for parameter in parameters:
        value = getattr(component, parameter)
        if value is not None:
            check_value(
                component.name, parameter, value, least=least, above=above, most=most, below=below
            )


def check_value(
    owner: str,
    what: str,
    value: float,
    *,
    least: float | None = None,
    above: float | None = None,
    most: float | None = None,
    below: float | None = None,
) -> None:
    """Raise HarnessError, naming the owner and what the value is, if it is out of bounds."""
    is_high_enough = (least is None or value >= least) and (above is None or value > above)
    is_low_enough = (most is None or value <= most) and (below is None or value < below)
    if is_high_enough and is_low_enough and -math.inf < value < math.inf:
        return
    named = (("at least", least), ("above", above), ("at most", most), ("below", below))
    bounds = " and ".join(f"{words} {bound}" for words, bound in named if bound is not None)
    if least is not None and most is not None:
        bounds = f"{least} … {most}"
    if abs(value) == math.inf:
        bounds += " and finite"
    raise HarnessError(f"{owner}: {what} must be {bounds}, not {value}")


def check_choice(component: Any, *parameters: str) -> None:
    """Raise HarnessError if one of the parameters is not among the literals of its type."""
    for parameter in parameters:
        value = getattr(component, parameter)
        choices = get_args(get_type_hints(type(component))[parameter])
        if value not in choices:
            raise HarnessError(
                f"{component.name}: {parameter} must be {' or '.join(choices)}, not {value!r}"
            )
