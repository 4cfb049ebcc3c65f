"""Limits on how much worse a run may be than another: `modularity:-5%`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.columns import field_named
from harness.analysis.comparison import METRICS, PairedMethod, PairedMetric, PairedRuns
from harness.errors import HarnessError
from harness.metrics.ties import exceeds

SIZE = re.compile(r"([+-])(\d+(?:\.\d*)?|\.\d+)(%?)", re.ASCII)


@dataclass(frozen=True)
class Limit:
    """How far a metric's mean may fall, or else rise; relative: as a fraction of the first mean."""

    text: str
    metric: str
    falls: bool
    size: float
    relative: bool


def read_limit(text: str, directions: Mapping[str, int] = METRICS) -> Limit:
    """A limit from METRIC:±SIZE or METRIC:±SIZE%; HarnessError if malformed or for the better.

    directions: those of the metrics, as `PairedRuns` has them.
    """
    name, _, rest = text.partition(":")
    name = field_named(name, directions, f"--fail-on {text}: there is no metric {name!r}")
    found = SIZE.fullmatch(rest.replace("−", "-"))
    better = directions[name]
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
    """What is worse in the second run than the limits allow, one line each.

    Also worse are observations that fail or lack a metric in the second run only, and methods of
    the first run without any pair. Raises HarnessError if nothing can be judged, since nothing is
    paired or no pair has the metric.
    """
    if not runs.paired:
        raise HarnessError(
            f"--fail-on: {runs.first} and {runs.second} have nothing in common to be judged"
        )
    found = [line for method in runs.methods for line in _incomplete(method)]
    for limit in limits:
        metrics = [
            (method, next(each for each in method.metrics if each.metric == limit.metric))
            for method in runs.methods
        ]
        if not found and not any(each.pairs or each.lost for _, each in metrics):
            raise HarnessError(
                f"--fail-on {limit.text}: no pair has {limit.metric} in both runs: nothing can be "
                "judged"
            )
        for method, each in metrics:
            found += _worse(method, each, limit)
    return found


def _incomplete(method: PairedMethod) -> Iterator[str]:
    name, failed = method.method, method.newly_failed
    if not method.paired and method.only_first:
        yield f"{name}: none of {method.only_first} is in the second run"
    if failed:
        yield f"{name}: {failed} of {method.paired} are ok in the first run only"


def _worse(method: PairedMethod, found: PairedMetric, limit: Limit) -> Iterator[str]:
    if found.lost:
        yield f"{method.method}: {found.lost} have {limit.metric} in the first run only"
    if found.first is None or found.second is None or found.difference is None:
        return
    allowed = limit.size * abs(found.first) if limit.relative else limit.size
    worse = -found.difference if limit.falls else found.difference
    # A change of exactly the limit is allowed, however it was rounded.
    if exceeds(worse, allowed):
        relative = f", {found.difference / abs(found.first):+z.1%}" if found.first else ""
        yield (
            f"{method.method}: {limit.metric} {found.first:.4g} → {found.second:.4g} "
            f"({found.difference:+.2g}{relative}), beyond {limit.text}"
        )
