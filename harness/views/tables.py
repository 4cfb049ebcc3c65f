"""Tables in the terminal: one renderer for all of them, and one form for each kind of number."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from harness.analysis.labels import spec_labels
from harness.errors import escape_controls, escape_line
from harness.views.fitting import distinct, shortened, wrapped
from harness.views.page import Page, PageColumn

if TYPE_CHECKING:
    from harness.metrics.inference import Estimate

NOTHING = "–"
CAPTION = "italic dim"
# Widths to which words are shortened: at first to WHOLE, which most fit; if columns were dropped
# and the rest still does not fit, to NARROWEST, then to TINY.
WHOLE = 24
NARROWEST = 14
TINY = 6
# Columns whose `drop` is this or more are dropped only after words are shortened to NARROWEST.
LATE = 7
# How much wider a column is tried to be, until its words can be told apart.
STEP = 4
# Lines below a table that explain it; the page has all columns.
MOST_LINES = 3
PAGE = "docs/glossary.md"

Row = TypeVar("Row")


def number(value: float | None, digits: int = 3) -> str:
    """A number with so many digits; None and NaN are nothing, and −0 is 0."""
    if value is None or math.isnan(value):
        return NOTHING
    return f"{value:z.{digits}f}"


def signed(value: float, digits: int = 2) -> str:
    """A number with its sign; a negative number that rounds to 0 is +0."""
    return f"{value:+z.{digits}f}"


def short(value: float | None) -> str:
    """Two digits without a 0 before the point."""
    text = number(value, 2)
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def p_text(value: float | None) -> str:
    """A p value without a 0 before the point; below .001 only that."""
    if value is None:
        return NOTHING
    return f"{value:.3f}".removeprefix("0") if value >= 0.001 else "<.001"


def interval(low: float | None, high: float | None, digits: int = 2) -> str:
    """The bounds of an interval."""
    if low is None or high is None:
        return NOTHING
    return f"{number(low, digits)}…{number(high, digits)}"


def estimate_text(estimate: "Estimate") -> str:
    """A mean with its sign, and its interval if there is one."""
    if estimate.low is None or estimate.high is None:
        return signed(estimate.mean)
    return f"{signed(estimate.mean)} ({signed(estimate.low)}…{signed(estimate.high)})"


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column of a table.

    cell makes a row's cell: its text, or its text and a rich style; meaning is what the legend says
    of the column. shown: "varying" if it is said above the table instead where all rows agree,
    "filled" if it is left out where no row has a value. drop: in a console that is too narrow, the
    column with the smallest number is left out first, and a line says so; a column with 0 stays as
    long as any, and one with LATE or more until words are shortened. words stand on the left and
    are shortened; numbers stand on the right, and are not. specs: words that are specs, labelled by
    what differs between them. folds: words that may take several lines. width: at least so many
    characters, so that several tables line up. once: left empty in a row whose first item is that
    of the row above; rows are tuples.
    """

    heading: str
    cell: Callable[[Row], str | tuple[str, str]]
    meaning: str = ""
    shown: Literal["always", "varying", "filled"] = "always"
    drop: int = 0
    words: bool = False
    specs: bool = False
    folds: bool = False
    width: int = 0
    once: bool = False


def show_table(
    console: Console,
    columns: Iterable[Column[Row]],
    rows: Sequence[Row],
    *,
    title: str = "",
    about: str = "",
    caption: str = "",
    explain: bool = True,
) -> None:
    """Print a table no wider than the console.

    Above it stand the title, what it is about, and what all rows have in common; below it the
    caption with, if `explain`, what the columns mean, in a few lines. A line of its own names the
    columns that there is no room for; a page has room for all.
    """
    filled = [_filled(column, rows) for column in columns]
    wanted = [each for each in filled if each.is_shown]
    if title:
        print_text(console, title, "bold")
    if above := " ".join(filter(None, (about, _in_all(filled)))):
        print_text(console, above, CAPTION)
    if isinstance(console, Page):
        fitting = wanted
        console.add_table([each.on_page() for each in wanted])
    else:
        fitting = _fitted(wanted, console.width)
        for row in _drawn(fitting, console.width):
            # The line fits; rich must not break or pad it.
            console.print(row, soft_wrap=True)
    shown = [each.column for each in fitting]
    if explain or caption:
        print_legend(console, shown if explain else (), caption)
    if left_out := [each.column.heading for each in wanted if each.column not in shown]:
        print_text(console, _listed(left_out, console.width), CAPTION)


def print_legend(console: Console, columns: Iterable[Column[Row]], caption: str = "") -> None:
    """Print a caption and what columns mean, in at most three lines unless the caption has more.

    If there is no room for all columns, the least important ones are left to the glossary.
    """
    explained = [column for column in columns if column.meaning]
    if not explained and not caption:
        return
    last_first = explained[::-1]
    order = sorted(last_first, key=lambda column: column.drop or math.inf)
    for count in range(len(order) + 1):
        told = [column for column in explained if column not in order[:count]]
        meanings = [f"{column.heading}: {column.meaning}" for column in told]
        others = [f"others: {PAGE}" if told else f"Columns: {PAGE}"] if count else []
        legend = "; ".join([*meanings, *others])
        lines = wrapped(f"{caption} {legend}.".strip() if legend else caption, console.width)
        if len(lines) <= MOST_LINES:
            break
    print_text(console, "\n".join(lines), CAPTION)


def print_text(console: Console, text: str, style: str = "", *, wrap: bool = True) -> None:
    """Print text without markup, control characters escaped; without `wrap`, lines stay whole."""
    safe = escape_controls(text)
    if isinstance(console, Page):
        console.add_text(safe, style)
        return
    shown = "\n".join(wrapped(safe, console.width)) if wrap else safe
    console.print(Text(shown, style), soft_wrap=True)


def safe_text(text: str, style: str = "") -> Text:
    """Text without markup, its control characters escaped."""
    return Text(escape_controls(text), style)


@dataclass(frozen=True)
class _Filled(Generic[Row]):
    """A column with the texts and styles of all rows, and how wide its cells are drawn.

    repeated: whether a row's cell is left empty, as it is that of the row above.
    """

    column: Column[Row]
    texts: Sequence[str]
    styles: Sequence[str]
    repeated: Sequence[bool]
    common: Sequence[str] = ()
    drawn: int = 0

    @property
    def is_shown(self) -> bool:
        values = set(self.texts)
        if self.column.shown == "varying":
            return len(values) > 1
        return self.column.shown == "always" or not values <= {"", NOTHING}

    @property
    def width(self) -> int:
        """The width that shows everything."""
        lines = [line for text in self.texts for line in text.split("\n")]
        return max(self.column.width, *map(cell_len, (self.column.heading, *lines)))

    def on_page(self) -> PageColumn:
        """The column in HTML, with its whole texts."""
        pairs = zip(self.texts, self.repeated, strict=False)
        texts = ["" if again else text for text, again in pairs]
        column = self.column
        return PageColumn(column.heading, column.meaning, column.words, texts, self.styles)

    def least(self, narrowest: int) -> int:
        """The width at which the column can still be read, and its words be told apart."""
        if not self.column.words:
            return self.width
        if self.column.folds:
            words = [word for text in self.texts for word in text.split()]
            longest = max(map(cell_len, (self.column.heading, *words)))
            return min(longest, self.width, WHOLE)
        first = min(self.width, max(narrowest, self.column.width))
        texts, several = list(dict.fromkeys(self.texts)), len(set(self.texts))
        widths = range(first, self.width, STEP)
        differ = (each for each in widths if len(set(distinct(texts, each))) == several)
        return next(differ, self.width)


def _filled(column: Column[Row], rows: Sequence[Row]) -> _Filled[Row]:
    cells = [column.cell(row) for row in rows]
    texts, styles = [], []
    for cell in cells:
        text, style = (cell, "") if isinstance(cell, str) else cell
        texts.append(escape_controls(text) if column.folds else escape_line(text))
        styles.append(style)
    common: Sequence[str] = ()
    if column.specs:
        labels = spec_labels(texts)
        texts, common = [labels.of[text] for text in texts], labels.common
    repeated = [False] * len(rows)
    if column.once:
        firsts: list[Any] = [None, *(row[0] for row in rows)]  # type: ignore[index]
        repeated = [row[0] is last for row, last in zip(rows, firsts, strict=False)]  # type: ignore[index]
    return _Filled(column, texts, styles, repeated, common)


def _in_all(filled: Iterable[_Filled[Row]]) -> str:
    """What all rows have in common, as a sentence."""
    common = []
    for each in filled:
        of_all = each.texts[:1] if each.column.shown == "varying" and not each.is_shown else ()
        shared = (text for text in (*of_all, *each.common) if text not in ("", NOTHING))
        common += [f"{each.column.heading} {text}" for text in shared]
    return f"In all rows: {'; '.join(common)}." if common else ""


def _fitted(wanted: Sequence[_Filled[Row]], width: int) -> list[_Filled[Row]]:
    """The columns that there is room for, with their widths."""
    fitting = [(each, each.least(WHOLE)) for each in wanted]
    for late, narrowest in ((False, NARROWEST), (True, TINY)):
        for each in sorted(fitting, key=lambda pair: pair[0].column.drop):
            drop = each[0].column.drop
            if drop and (drop >= LATE) == late and _needed(fitting) > width:
                fitting.remove(each)
        if _needed(fitting) > width:
            fitting = [(each, each.least(narrowest)) for each, _ in fitting]
    while len(fitting) > 1 and _needed(fitting) > width:
        fitting.pop()
    room = max(width - _needed(fitting), 0)
    # What is left is shared evenly; those that need less come first, and leave the rest.
    order = sorted(range(len(fitting)), key=lambda at: fitting[at][0].width - fitting[at][1])
    found = {}
    for count, at in enumerate(order):
        column, least = fitting[at]
        more = min(room // (len(order) - count), column.width - least)
        room -= more
        found[at] = replace(column, drawn=min(least + more, width))
    return [found[at] for at in range(len(fitting))]


def _listed(headings: Sequence[str], width: int) -> str:
    """The columns that there is no room for, as many as fit a line."""
    for count in range(len(headings), 0, -1):
        more = f" and {len(headings) - count} more" if count < len(headings) else ""
        line = f"No room here for {', '.join(headings[:count])}{more}."
        if cell_len(line) <= width:
            return line
    return shortened(f"No room here for {len(headings)} columns.", width, 1.0)


def _needed(columns: Sequence[tuple[_Filled[Row], int]]) -> int:
    # One character parts two columns at least.
    return sum(least for _, least in columns) + len(columns) - 1


def _drawn(columns: Sequence[_Filled[Row]], width: int) -> Iterable[Text]:
    """The header, a rule, and the rows, of one line or, where cells fold, of several."""
    if not columns:
        return
    wide = sum(each.drawn for each in columns) + 2 * (len(columns) - 1) <= width
    gap = "  " if wide else " "
    headings = [(shortened(each.column.heading, each.drawn), "bold") for each in columns]
    yield _line(columns, headings, gap)
    yield Text("─" * (sum(each.drawn for each in columns) + len(gap) * (len(columns) - 1)))
    cells = [_cells(each) for each in columns]
    for row, of_row in enumerate(zip(*cells, strict=True)):
        for at in range(max(map(len, of_row))):
            texts = [lines[at] if at < len(lines) else "" for lines in of_row]
            styles = [each.styles[row] for each in columns]
            yield _line(columns, list(zip(texts, styles, strict=True)), gap)


def _cells(filled: _Filled[Row]) -> list[list[str]]:
    """The lines of each cell."""
    if filled.column.folds:
        return [wrapped(text, filled.drawn) for text in filled.texts]
    short = distinct(list(dict.fromkeys(filled.texts)), filled.drawn)
    by_text = dict(zip(dict.fromkeys(filled.texts), short, strict=True))
    pairs = zip(filled.texts, filled.repeated, strict=True)
    return [["" if again else by_text[text]] for text, again in pairs]


def _line(columns: Sequence[_Filled[Row]], cells: Sequence[tuple[str, str]], gap: str) -> Text:
    line = Text()
    for at, (each, (text, style)) in enumerate(zip(columns, cells, strict=True)):
        padding = " " * (each.drawn - cell_len(text))
        line.append(gap if at else "")
        line.append("" if each.column.words else padding)
        line.append(text, style)
        line.append(padding if each.column.words else "")
    line.rstrip()
    return line
