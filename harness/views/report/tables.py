"""Tables of a report: the leaderboard, its tests and scores, heads, and two runs compared."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from harness.analysis.columns import MEANINGS, heading_of
from harness.analysis.comparison import PairedMethod, PairedMetric, PairedRuns
from harness.analysis.layers import HeadRow
from harness.analysis.leaderboard import ControlTest, Row
from harness.analysis.method import MethodKey
from harness.analysis.scores import MethodScore
from harness.views.comparison import differences, summary
from harness.views.report.values import Labels, shown

R = TypeVar("R")
Kind = Literal["text", "number", "integer", "share", "p", "interval"]
Value = str | int | float | None
# What a page is given, as JSON.
Json = dict[str, Any]
SCORES = (
    "Means over maps with a level, and those of the reference control's draws at the same level."
)
HEADS = "The figures of the leaderboard, head by head; false discoveries are over all heads."


@dataclass(frozen=True)
class ReportColumn(Generic[R]):
    """A column of a table: what it holds of a row, and how a page shows it.

    high, estimate: if this is the lower end of an interval, the columns with its upper end and with
    the figure that it is the interval of; best: which end is good; filters: whether rows can be
    chosen by it; hidden: whether it only serves another column.
    """

    name: str
    kind: Kind
    value: Callable[[R], Value]
    digits: int = 3
    best: Literal["high", "low", ""] = ""
    high: str = ""
    estimate: str = ""
    filters: bool = False
    hidden: bool = False

    def described(self) -> Json:
        """The column without its values."""
        about: Json = {"name": self.name, "heading": heading_of(self.name), "kind": self.kind}
        if self.kind in ("number", "share", "interval"):
            about["digits"] = self.digits
        if self.best:
            about["best"] = self.best
        if self.high:
            about |= {"low": self.name, "high": self.high, "estimate": self.estimate}
        return about | {name: True for name, on in self._marks() if on}

    def _marks(self) -> Sequence[tuple[str, bool]]:
        return ("filter", self.filters), ("hidden", self.hidden)


class _Part(NamedTuple):
    """A test, score or metric of a method, with the row or the pair that it is in."""

    owner: Row | PairedMethod
    part: ControlTest | MethodScore | PairedMetric

    @property
    def method(self) -> MethodKey:
        return self.owner.method


def table(columns: Iterable[ReportColumn[R]], rows: Sequence[R], note: str = "") -> Json:
    """A table without the columns that no row has a value for."""
    values = {column: [column.value(row) for row in rows] for column in columns}
    filled = {
        column: found
        for column, found in values.items()
        if any(value not in (None, "") for value in found)
    }
    cells = [list(map(_cell, row)) for row in zip(*filled.values(), strict=True)]
    made: Json = {"columns": [column.described() for column in filled], "rows": cells}
    return made | ({"note": note} if note else {})


def _cell(value: Value) -> Value:
    return shown(value) if isinstance(value, float) else value


def leaderboard(rows: Sequence[tuple[Labels, Row]]) -> Json:
    """A row for each method of each run, best first."""
    columns = [
        _column("tier", "integer", best="low"),
        *_method_columns(rows),
        *_figures(),
        _column("across_images", "number"),
        _column("across_seeds", "number"),
        _column("p_value", "p", best="low"),
        _column("significant", "integer", best="high"),
        _column("jaccard", "number", digits=2, best="high"),
        _column("ari", "number", best="high"),
        _column("ami", "number", best="high"),
        _column("k_error", "number", digits=1, best="low"),
        _column("false_alarms", "share", digits=2, best="low"),
        _column("n_clusters", "number", digits=1),
        _column("accepted", "integer"),
        _column("ok", "integer"),
        _column("total", "integer"),
        _column("seconds", "number", digits=2, best="low"),
    ]
    return table(columns, rows)


def heads(rows: Sequence[tuple[Labels, HeadRow]]) -> Json:
    """A row for each method and head, the best heads of each method first."""
    columns = [
        *_method_columns(rows),
        _column("layer", "integer", filters=True),
        _column("head", "integer", filters=True),
        *_figures(),
        _column("p_value", "p", best="low"),
        _column("significant", "integer", best="high"),
        _column("jaccard", "number", digits=2, best="high"),
        _column("n_clusters", "number", digits=1),
        _column("ok", "integer"),
        _column("total", "integer"),
    ]
    return table(columns, rows, HEADS)


def tests(rows: Sequence[tuple[Labels, Row]]) -> Json:
    """A row for each method and control."""
    pairs = [(labels, _Part(row, test)) for labels, row in rows for test in row.controls]
    columns = [
        *_method_columns(pairs),
        _spec_column("control"),
        _column("control_p", "p", "part.p_value", best="low"),
        _column("z", "number", "part.z", digits=1, best="high"),
        _column("significant", "integer", "part.significant", best="high"),
        _column("false_alarms", "share", "part.false_alarms", digits=2, best="low"),
        _column("ok", "integer", "owner.ok"),
    ]
    return table(columns, pairs)


def scores(rows: Sequence[tuple[Labels, Row]]) -> Json | None:
    """A row for each method and score; None without a score."""
    found = [each for _, row in rows for each in row.scores]
    if not found:
        return None
    pairs = [(labels, _Part(row, score)) for labels, row in rows for score in row.scores]
    columns = [
        *_method_columns(pairs),
        _spec_column("score"),
        _column("value", "number", "part.value"),
        _column("score_control", "number", "part.control"),
        _column("score_difference", "number", "part.difference"),
        _column("maps", "integer", "part.maps"),
    ]
    smaller = sorted({each.score for each in found if not each.higher_is_better})
    better = f" A smaller {' or '.join(smaller)} is better." if smaller else ""
    return table(columns, pairs, f"{SCORES}{better}")


def comparison(runs: PairedRuns, labels: Labels, names: tuple[str, str]) -> Json:
    """Two runs: a row for each method and metric, and what else differs."""
    pairs = [
        (labels, _Part(method, metric))
        for method in runs.methods
        for metric in method.metrics
        if metric.pairs or metric.lost or metric.gained
    ]
    columns = [
        *_method_columns(pairs),
        ReportColumn("metric", "text", lambda pair: heading_of(pair[1].part.metric), filters=True),
        _column("pairs", "integer", "part.pairs"),
        _column("first", "number", "part.first"),
        _column("second", "number", "part.second"),
        _column("change", "number", "part.difference"),
        _column("change_low", "interval", "part.low", high="change_high", estimate="change"),
        _column("change_high", "number", "part.high", hidden=True),
        _column("change_p", "p", "part.p", best="low"),
        _column("better", "integer", "part.wins"),
        _column("equal", "integer", "part.ties"),
        _column("worse", "integer", "part.losses"),
    ]
    return {
        "names": list(names),
        "table": table(columns, pairs),
        "notes": [summary(runs), *differences(runs)],
    }


def glossary(tables: Iterable[Json | None]) -> Json:
    """The heading and the meaning of every column of some tables."""
    named = dict.fromkeys(
        column["name"] for made in tables if made is not None for column in made["columns"]
    )
    return {
        name: {"heading": heading_of(name), "text": MEANINGS[name]}
        for name in named
        if name in MEANINGS
    }


def _column(name: str, kind: Kind, field: str = "", **how: Any) -> ReportColumn[Any]:
    """A column with a field of the rows, which by default is called as the column."""
    read = attrgetter(field or name)
    return ReportColumn(name, kind, lambda pair: read(pair[1]), **how)


def _spec_column(name: str) -> ReportColumn[Any]:
    """A column with the label of a component of the rows' parts."""
    read = attrgetter(f"part.{name}")
    return ReportColumn(name, "text", lambda pair: pair[0](read(pair[1])), filters=True)


def _figures() -> Iterator[ReportColumn[Any]]:
    yield _column("modularity", "number", best="high")
    yield _column("control_modularity", "number")
    yield _column("effect", "number", best="high")
    yield _column("effect_low", "interval", digits=2, high="effect_high", estimate="effect")
    yield _column("effect_high", "number", hidden=True)


def _method_columns(rows: Sequence[tuple[Labels, Any]]) -> Iterator[ReportColumn[Any]]:
    """The run, if there are several, the clusterer, and what else differs between methods."""

    def part(pair: tuple[Labels, Any], name: str) -> str:
        labels, row = pair
        return labels.method(row.method).get(name, "")

    for name in ("run", *MethodKey._fields):
        several = len({part(pair, name) for pair in rows}) > 1
        if several or name == "clusterer":
            yield ReportColumn(name, "text", partial(part, name=name), filters=several)
