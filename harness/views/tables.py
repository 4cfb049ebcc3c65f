"""Tables in the terminal: one renderer for all of them, and one form for each kind of number."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.errors import escape_controls, escape_line

if TYPE_CHECKING:
    from harness.metrics.inference import Estimate

NOTHING = "–"
CAPTION = "italic dim"
# Words in narrower columns cannot be read; longer words are folded.
NARROWEST = 14

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

    cell makes a row's cell: its text, or its text and a rich style; meaning is what the caption
    says of the column. shown: "varying" if the caption shall say it instead where all rows agree,
    "filled" if it is left out where no row has a value. drop: in a console that is too narrow, the
    column with the smallest number is left out first, and a line says so; a column with 0 stays.
    For commands that have `--json`. words stand on the left and are folded; numbers stand on the
    right and are not. width: at least so many characters, so that several tables line up. once:
    left empty in a row whose first item is that of the row above; rows are tuples.
    """

    heading: str
    cell: Callable[[Row], str | tuple[str, str]]
    meaning: str = ""
    shown: Literal["always", "varying", "filled"] = "always"
    drop: int = 0
    words: bool = False
    width: int = 0
    once: bool = False


def show_table(
    console: Console,
    columns: Iterable[Column[Row]],
    rows: Sequence[Row],
    *,
    title: str = "",
    caption: str = "",
    explain: bool = True,
) -> None:
    """Print a title, the rows and a caption.

    The caption consists of the given text, what all rows have in common and, with `explain`, what
    the columns mean. A line of its own names the columns that there is no room for.
    """
    filled = [(column, [_cell(column, row) for row in rows]) for column in columns]
    common = [
        f"{column.heading} {cells[0].plain}"
        for column, cells in filled
        if column.shown == "varying" and len(_distinct(cells)) == 1 and cells[0].plain
    ]
    wanted = [
        (column, _once(cells, rows) if column.once else cells)
        for column, cells in filled
        if _is_shown(column, cells)
    ]
    left_out = _left_out(wanted, console.width)
    fitting = [each for each in wanted if each[0].heading not in left_out]
    if title:
        print_text(console, title, "bold", wrap=False)
    console.print(_table(fitting, console.width))
    sentences = (
        caption,
        f"In all rows: {'; '.join(common)}." if common else "",
        meanings(column for column, _ in fitting) if explain else "",
    )
    if any(sentences):
        print_text(console, " ".join(filter(None, sentences)), CAPTION)
    if left_out:
        print_text(console, f"No room here for {', '.join(left_out)}; --json has them.", CAPTION)


def print_text(console: Console, text: str, style: str = "", *, wrap: bool = True) -> None:
    """Print text without markup, control characters escaped; without `wrap`, lines stay whole."""
    console.print(safe_text(text, style), soft_wrap=not wrap)


def safe_text(text: str, style: str = "") -> Text:
    """Text without markup, its control characters escaped."""
    return Text(escape_controls(text), style)


def meanings(columns: Iterable[Column[Row]]) -> str:
    """What the columns of a table mean, as a sentence."""
    explained = [f"{column.heading}: {column.meaning}" for column in columns if column.meaning]
    return f"{'; '.join(explained)}." if explained else ""


# A column with the cells of all rows.
_Filled = tuple[Column[Row], Sequence[Text]]


def _cell(column: Column[Row], row: Row) -> Text:
    cell = column.cell(row)
    text, *style = (cell,) if isinstance(cell, str) else cell
    return safe_text(escape_line(text), *style)


def _once(cells: Sequence[Text], rows: Sequence[Any]) -> list[Text]:
    above = [None, *(row[0] for row in rows)]
    same = [row[0] is last for row, last in zip(rows, above, strict=False)]
    return [Text() if each else cell for cell, each in zip(cells, same, strict=True)]


def _distinct(cells: Sequence[Text]) -> set[str]:
    return {cell.plain for cell in cells}


def _is_shown(column: Column[Row], cells: Sequence[Text]) -> bool:
    if column.shown == "varying":
        return len(_distinct(cells)) > 1
    return column.shown == "always" or not _distinct(cells) <= {"", NOTHING}


def _left_out(wanted: Sequence[_Filled[Row]], width: int) -> list[str]:
    """The headings of the columns that there is no room for."""
    fitting, dropped = list(wanted), set()
    for each in sorted(wanted, key=lambda each: each[0].drop):
        if each[0].drop and _width(fitting, _least_width) > width:
            fitting.remove(each)
            dropped.add(each[0].heading)
    return [column.heading for column, _ in wanted if column.heading in dropped]


def _width(filled: Sequence[_Filled[Row]], of: Callable[[_Filled[Row]], int], gap: int = 0) -> int:
    # The box parts columns by one character.
    return sum(map(of, filled)) + (len(filled) - 1) * (gap + 1)


def _full_width(filled: _Filled[Row]) -> int:
    column, cells = filled
    return max(column.width, *(text.cell_len for text in (Text(column.heading), *cells)))


def _least_width(filled: _Filled[Row]) -> int:
    column, _ = filled
    full = _full_width(filled)
    return min(full, max(NARROWEST, column.width, len(column.heading))) if column.words else full


def _gap(filled: Sequence[_Filled[Row]], width: int) -> int:
    """How much further apart columns stand: 1, unless words would be folded for that alone."""
    is_folded = _width(filled, _full_width) > width
    return int(_width(filled, _least_width if is_folded else _full_width, 1) <= width)


def _table(filled: Sequence[_Filled[Row]], width: int) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, padding=(0, _gap(filled, width), 0, 0), pad_edge=False
    )
    for column, _ in filled:
        table.add_column(
            safe_text(column.heading),
            justify="left" if column.words else "right",
            overflow="fold" if column.words else "ellipsis",
            no_wrap=not column.words,
            min_width=max(column.width, min(NARROWEST, len(column.heading))),
        )
    for cells in zip(*(cells for _, cells in filled), strict=True):
        table.add_row(*cells)
    return table
