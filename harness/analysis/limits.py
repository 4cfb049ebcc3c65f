"""Whether a run got worse than another by more than is allowed: `modularity:-5%`."""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.analysis.comparison import BY_NAME, ROUNDING, PairedMethod, PairedMetric, PairedRuns
from harness.errors import HarnessError
from harness.plugin.spec import did_you_mean

SPELLING = re.compile(r"([+-])(\d+(?:\.\d*)?|\.\d+)(%?)", re.ASCII)


@dataclass(frozen=True)
class Limit:
    """How far a figure's mean may fall, or else rise, from the first run to the second.

    size: that far, or where it is relative that share of the first run's mean.
    """

    text: str
    figure: str
    falls: bool
    size: float
    relative: bool


def read_limit(text: str) -> Limit:
    """A limit from its spelling, `FIGURE:±SIZE` or `FIGURE:±SIZE%`.

    Raises HarnessError if it is none, or if the change that it limits is for the better.
    """
    name, _, rest = text.partition(":")
    if name not in BY_NAME:
        known = did_you_mean(name, BY_NAME) or f"; there are {', '.join(BY_NAME)}"
        raise HarnessError(f"--fail-on {text}: there is no figure {name!r}{known}")
    found = SPELLING.fullmatch(rest.replace("−", "-"))
    better = BY_NAME[name].better
    example = f"{name}:{'+20%' if better < 0 else '-5%'}"
    if found is None:
        raise HarnessError(
            f"--fail-on {text}: expected {name}:, a sign, and a number or a percentage, as in "
            f"{example}"
        )
    sign, size, percent = found.groups()
    if (better > 0 and sign == "+") or (better < 0 and sign == "-"):
        larger = "larger" if better > 0 else "smaller"
        raise HarnessError(
            f"--fail-on {text}: {name} is better when {larger}; a limit is as in {example}"
        )
    return Limit(text, name, sign == "-", float(size) / (100 if percent else 1), bool(percent))


def regressions(runs: PairedRuns, limits: Sequence[Limit]) -> list[str]:
    """What got worse in the second run than the limits allow, a line each.

    Worse is also what failed in the second run only, what has a figure in the first run only, and
    a method of the first run of which nothing is paired. Raises HarnessError where nothing can be
    judged: nothing is paired, or a figure is in no pair.
    """
    if not runs.paired:
        raise HarnessError(
            f"--fail-on: {runs.first} and {runs.second} have nothing in common to be judged"
        )
    found = [line for method in runs.methods for line in _incomplete(method)]
    for limit in limits:
        figures = [
            (method, next(each for each in method.figures if each.figure == limit.figure))
            for method in runs.methods
        ]
        if not found and not any(each.pairs or each.lost for _, each in figures):
            raise HarnessError(
                f"--fail-on {limit.text}: no pair has {limit.figure} in both runs: nothing can be "
                "judged"
            )
        for method, each in figures:
            found += _worse(method, each, limit)
    return found


def _incomplete(method: PairedMethod) -> Iterator[str]:
    if not method.paired and method.only_first:
        yield f"{named(method)}: none of {method.only_first} is in the second run"
    if method.broken:
        yield f"{named(method)}: {method.broken} of {method.paired} are ok in the first run only"


def _worse(method: PairedMethod, found: PairedMetric, limit: Limit) -> Iterator[str]:
    if found.lost:
        yield f"{named(method)}: {found.lost} have {limit.figure} in the first run only"
    if found.first is None or found.second is None or found.difference is None:
        return
    allowed = limit.size * abs(found.first) if limit.relative else limit.size
    worse = -found.difference if limit.falls else found.difference
    # What is exactly at the limit is within it, however it was rounded.
    if worse > allowed and not math.isclose(worse, allowed, rel_tol=1e-9, abs_tol=ROUNDING):
        share = f", {found.difference / abs(found.first):+.1%}" if found.first else ""
        yield (
            f"{named(method)}: {limit.figure} {found.first:.4g} → {found.second:.4g} "
            f"({found.difference:+.2g}{share}), beyond {limit.text}"
        )


def named(method: PairedMethod) -> str:
    """A method in a line."""
    parts = (method.clusterer, method.selector, method.graph, method.extractor, method.images)
    return " ".join(part for part in parts if part)
