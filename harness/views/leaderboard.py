"""The leaderboard as a table in the terminal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.ranking import Row

NOTHING = "–"
# Of names; with it a table of two named columns fits 80 characters.
NARROWEST = 6
# Width of a console from which columns stand further apart.
ROOMY = 100


@dataclass(frozen=True)
class Board:
    """A run's rows with what its table says about them."""

    run: str
    rows: Sequence[Row]
    settings: Mapping[str, Any]
    controls: Sequence[str]


def show(boards: Sequence[Board], by: str | None, console: Console) -> None:
    """Print one table for each run."""
    for board in boards:
        console.print(_table(board, by, gap=1 if console.width >= ROOMY else 0))


def _table(board: Board, by: str | None, gap: int) -> Table:
    rows = board.rows
    table = Table(
        title=board.run,
        title_justify="left",
        caption=_caption(board, by),
        caption_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, gap, 0, 0),
    )
    table.add_column("tier", justify="right", no_wrap=True)
    table.add_column("clusterer", overflow="fold", min_width=NARROWEST)
    varying = [
        name
        for name in ("selector", "graph", "extractor", "images")
        if len({getattr(row, name) for row in rows}) > 1
    ]
    for name in varying:
        table.add_column(name, overflow="fold", min_width=NARROWEST)
    columns = [column for column in COLUMNS if any(column.is_told(row) for row in rows)]
    for column in columns:
        table.add_column(column.header, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            NOTHING if row.tier is None else str(row.tier),
            Text(row.clusterer),
            *(Text(getattr(row, name)) for name in varying),
            *(column.show(row) for column in columns),
        )
    return table


def _figure(value: float | None, digits: int) -> str:
    # The sum keeps a rounded −0 from being shown as such.
    return NOTHING if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def _p(value: float | None) -> str:
    """A p value; where it is smaller than .001, that it is."""
    if value is None:
        return NOTHING
    return f"{value:.3f}".removeprefix("0") if value >= 0.001 else "<.001"


def _interval(row: Row) -> str:
    if row.excess_low is None or row.excess_high is None:
        return NOTHING
    return f"{_figure(row.excess_low, 2)}…{_figure(row.excess_high, 2)}"


def _found(row: Row) -> Text:
    return Text(f"{row.ok}/{row.total}", style="red" if row.ok < row.total else "")


@dataclass(frozen=True)
class Column:
    """One column of figures: its header, what a row shows, what the caption says of it.

    It is shown where `is_told` holds of any row.
    """

    header: str
    show: Callable[[Row], str | Text]
    meaning: str = ""
    is_told: Callable[[Row], bool] = lambda row: True


COLUMNS = (
    Column("Q", lambda row: _figure(row.modularity, 3), "mean modularity"),
    Column(
        "control",
        lambda row: _figure(row.control_modularity, 3),
        "the reference control's at the level selected on the image",
        lambda row: row.control_modularity is not None,
    ),
    Column(
        "excess",
        lambda row: _figure(row.excess, 3),
        "Q less control",
        lambda row: row.excess is not None,
    ),
    Column(
        "95 %",
        _interval,
        "bootstrap interval of the excess over images",
        lambda row: row.excess_low is not None,
    ),
    Column(
        "p",
        lambda row: _p(row.p_value),
        "median over maps, selection included",
        lambda row: row.p_value is not None,
    ),
    Column(
        "signif",
        lambda row: NOTHING if row.significant is None else f"{row.significant}/{row.ok}",
        "maps at a false discovery rate of 5 %",
        lambda row: row.p_value is not None,
    ),
    Column(
        "Jaccard",
        lambda row: _figure(row.jaccard, 2),
        "stability, the smallest of levels, seeds, perturbations; 0 is chance",
        lambda row: row.jaccard is not None,
    ),
    Column(
        "ARI", lambda row: _figure(row.ari, 3), "with the truth", lambda row: row.ari is not None
    ),
    Column(
        "k error",
        lambda row: _figure(row.k_error, 1),
        "mean error in the number of clusters",
        lambda row: row.k_error is not None,
    ),
    Column(
        "false",
        lambda row: _figure(row.false_alarms, 2),
        "share of maps without communities at p ≤ .05",
        lambda row: row.false_alarms is not None,
    ),
    Column("k", lambda row: _figure(row.n_clusters, 1), "clusters where accepted"),
    Column(
        "found",
        lambda row: f"{row.accepted}/{row.ok}",
        "maps on which the selector accepted a level; the others count with 0",
    ),
    Column("ok", _found, "maps with a result"),
    Column("s", lambda row: _figure(row.seconds, 2), "the method's seconds for a map"),
)


def _caption(board: Board, by: str | None) -> str:
    settings = board.settings
    order = (
        f"Sorted by {by}."
        if by
        else "Methods of one tier cannot be told apart; complete ones come first."
    )
    beside = (
        f"Reference control: {board.controls[0]}. "
        if board.controls
        else "Run without a control: nothing here says whether noise would do as well. "
    )
    shared = [
        f"{name} {value}"
        for name, key in (("selector", "selectors"), ("graph", "graphs"), ("maps", "extractors"))
        if len(settings[key]) == 1
        for value in settings[key]
    ]
    meanings = "; ".join(
        f"{column.header}: {column.meaning}"
        for column in COLUMNS
        if any(column.is_told(row) for row in board.rows)
    )
    verdict = _verdict(board)
    return f"{verdict}{'; '.join(shared)}; {settings['levels']} levels. {order} {beside}{meanings}."


def _verdict(board: Board) -> str:
    """Said where it is so: that nothing was found that noise would not show."""
    tested = [row for row in board.rows if row.significant is not None and row.ok]
    if tested and not any(row.significant for row in tested):
        return "Nothing here is more than the control shows. "
    return ""
