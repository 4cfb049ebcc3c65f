"""Values of a report as JSON has them: labels of specs, and numbers without NaN and idle digits."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.analysis.labels import spec_labels
from harness.analysis.method import MethodKey

# Digits of a figure that a page may show, and of one that it only draws.
SHOWN, DRAWN = 6, 4


@dataclass(frozen=True)
class Labels:
    """What a report calls specs; run: what it calls the run, "" if it is of one run alone."""

    of: Mapping[str, str]
    run: str = ""

    def __call__(self, spec: str) -> str:
        """The label of a spec; one that was not labelled stands for itself."""
        return self.of.get(spec, spec)

    def method(self, method: MethodKey, **more: object) -> dict[str, str]:
        """A method by the parts that it has, with the run and more."""
        named = {name: self(spec) for name, spec in method._asdict().items()}
        parts = {"run": self.run, **named, **{name: str(part) for name, part in more.items()}}
        return {name: part for name, part in parts.items() if part}


def labels_of(specs: Iterable[str], run: str = "") -> Labels:
    """The labels of all specs of some runs, so that one spec has one label; for one of the runs."""
    return Labels(spec_labels(spec for spec in specs if spec).of, run)


def shown(value: float | None, digits: int = SHOWN) -> float | None:
    """A number with so many significant digits, None instead of NaN and infinity."""
    if value is None or not np.isfinite(value):
        return None
    return float(f"{value:.{digits}g}")


def drawn(values: Sequence[float | None] | Any) -> list[float | None]:
    """Numbers of a curve."""
    return [shown(value, DRAWN) for value in values]
