"""Tables of a report: the leaderboard, its tests and scores, heads, and two runs compared."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, Literal, TypeVar

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

    high, estimate: the columns with the other end of an interval, whose lower end this is, and with
    what it is an interval of; best: which end is
    good; filters: whether rows can be chosen by it; hidden: whether it only serves another column.
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


def table(
    columns: Iterable[ReportColumn[R]], rows: Sequence[R], note: str = "", sort: str = ""
) -> Json:
    """A table without the columns that no row has a value for; sort: the column of its order."""
    values = {column: [column.value(row) for row in rows] for column in columns}
    filled = {
        column: found
        for column, found in values.items()
        if any(value not in (None, "") for value in found)
    }
    cells = [list(map(_cell, row)) for row in zip(*filled.values(), strict=True)]
    made: Json = {"columns": [column.described() for column in filled], "rows": cells}
    return made | {name: text for name, text in (("note", note), ("sort", sort)) if text}


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
    pairs = [(labels, (row, test)) for labels, row in rows for test in row.controls]

    def of_test(name: str, kind: Kind, **how: Any) -> ReportColumn[Any]:
        return ReportColumn(name, kind, lambda pair: getattr(pair[1][1], name), **how)

    columns: list[ReportColumn[tuple[Labels, tuple[Row, ControlTest]]]] = [
        *_method_columns(pairs, lambda pair: pair[0]),
        ReportColumn("control", "text", lambda pair: pair[0](pair[1][1].control), filters=True),
        ReportColumn("control_p", "p", lambda pair: pair[1][1].p_value, best="low"),
        of_test("z", "number", digits=1, best="high"),
        of_test("significant", "integer", best="high"),
        of_test("false_alarms", "share", digits=2, best="low"),
        ReportColumn("ok", "integer", lambda pair: pair[1][0].ok),
    ]
    return table(columns, pairs)


def scores(rows: Sequence[tuple[Labels, Row]]) -> Json | None:
    """A row for each method and score; None without a score."""
    pairs = [(labels, (row, score)) for labels, row in rows for score in row.scores]
    if not pairs:
        return None

    def of_score(name: str, kind: Kind, field: str) -> ReportColumn[Any]:
        return ReportColumn(name, kind, lambda pair: getattr(pair[1][1], field))

    columns: list[ReportColumn[tuple[Labels, tuple[Row, MethodScore]]]] = [
        *_method_columns(pairs, lambda pair: pair[0]),
        ReportColumn("score", "text", lambda pair: pair[0](pair[1][1].score), filters=True),
        of_score("value", "number", "value"),
        of_score("score_control", "number", "control"),
        of_score("score_difference", "number", "difference"),
        of_score("maps", "integer", "maps"),
    ]
    smaller = sorted({each.score for _, (_, each) in pairs if not each.higher_is_better})
    better = f" A smaller {' or '.join(smaller)} is better." if smaller else ""
    return table(columns, pairs, f"{SCORES}{better}")


def comparison(runs: PairedRuns, labels: Labels, names: tuple[str, str]) -> Json:
    """Two runs: a row for each method and metric, and what else differs."""
    pairs = [
        (labels, (method, metric))
        for method in runs.methods
        for metric in method.metrics
        if metric.pairs or metric.lost or metric.gained
    ]

    def of_metric(name: str, kind: Kind, field: str, **how: Any) -> ReportColumn[Any]:
        return ReportColumn(name, kind, lambda pair: getattr(pair[1][1], field), **how)

    columns: list[ReportColumn[tuple[Labels, tuple[PairedMethod, PairedMetric]]]] = [
        *_method_columns(pairs, lambda pair: pair[0]),
        ReportColumn("metric", "text", lambda pair: heading_of(pair[1][1].metric), filters=True),
        of_metric("pairs", "integer", "pairs"),
        of_metric("first", "number", "first"),
        of_metric("second", "number", "second"),
        of_metric("change", "number", "difference"),
        of_metric("change_low", "interval", "low", high="change_high", estimate="change"),
        of_metric("change_high", "number", "high", hidden=True),
        of_metric("change_p", "p", "p", best="low"),
        of_metric("better", "integer", "wins"),
        of_metric("equal", "integer", "ties"),
        of_metric("worse", "integer", "losses"),
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


def _column(name: str, kind: Kind, **how: Any) -> ReportColumn[Any]:
    """A column with a field of the rows."""
    return ReportColumn(name, kind, lambda pair: getattr(pair[1], name), **how)


def _figures() -> Iterator[ReportColumn[Any]]:
    yield _column("modularity", "number", best="high")
    yield _column("control_modularity", "number")
    yield _column("effect", "number", best="high")
    yield _column("effect_low", "interval", digits=2, high="effect_high", estimate="effect")
    yield _column("effect_high", "number", hidden=True)


def _method_columns(
    rows: Sequence[tuple[Labels, Any]], owner: Callable[[Any], Any] = lambda row: row
) -> Iterator[ReportColumn[Any]]:
    """The run, if there are several, the clusterer, and what else differs between methods."""

    def part(pair: tuple[Labels, Any], name: str) -> str:
        labels, row = pair
        return labels.method(owner(row).method).get(name, "")

    for name in ("run", *MethodKey._fields):
        several = len({part(pair, name) for pair in rows}) > 1
        if several or name == "clusterer":
            yield ReportColumn(name, "text", partial(part, name=name), filters=several)
