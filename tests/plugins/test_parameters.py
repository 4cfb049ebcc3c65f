import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import pytest

import harness
from harness_plugins.parameters import check_bounds


@dataclass(frozen=True)
class Example:
    name: ClassVar[str] = "example"
    size: float | None = None
    shape: Literal["round", "square"] = "round"


@pytest.mark.parametrize(
    ("bounds", "inside", "outside", "message"),
    [
        ({"least": 1}, (1, 10**400), (0, -math.inf), "size must be at least 1"),
        ({"least": 0}, (0, 0.5), (math.inf,), "size must be at least 0 and finite, not inf"),
        ({"least": 0, "most": 1}, (0, 1), (-0.1, 1.1, math.nan), "size must be 0 … 1, not"),
        ({"above": 0, "below": 1}, (0.5,), (0, 1), "size must be above 0 and below 1, not"),
        ({"above": 0, "most": 1}, (0.5, 1), (0, 2), "size must be above 0 and at most 1, not"),
    ],
)
def test_values_out_of_bounds_are_refused(
    bounds: dict[str, float], inside: tuple[float, ...], outside: tuple[float, ...], message: str
) -> None:
    for value in (None, *inside):
        check_bounds(Example(value), "size", **bounds)
    for value in outside:
        with pytest.raises(harness.HarnessError, match=f"example: {message}"):
            check_bounds(Example(value), "size", **bounds)
