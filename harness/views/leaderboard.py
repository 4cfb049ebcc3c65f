"""The leaderboard as a table in the terminal."""

from collections.abc import Mapping, Sequence
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
    table.add_column("#", justify="right")
    table.add_column("clusterer", overflow="fold", min_width=NARROWEST)
    varying = [
        name
        for name in ("selector", "graph", "extractor", "images")
        if len({getattr(row, name) for row in rows}) > 1
    ]
    for name in varying:
        table.add_column(name, overflow="fold", min_width=NARROWEST)
    for header in (
        "Q", "control", "excess", "Jaccard", "clusters", "covered", "found", "ok", "s",
    ):  # fmt: skip
        table.add_column(header, justify="right", no_wrap=True)
    for row in rows:
        incomplete = row.ok < row.total
        table.add_row(
            str(row.rank),
            Text(row.clusterer),
            *(Text(getattr(row, name)) for name in varying),
            _figure(row.modularity, 3),
            _figure(row.control_modularity, 3),
            _figure(row.excess, 3),
            _figure(row.jaccard_levels, 2),
            _figure(row.n_clusters, 1),
            _figure(row.coverage, 2),
            f"{row.accepted}/{row.ok}",
            Text(f"{row.ok}/{row.total}", style="red" if incomplete else ""),
            _figure(row.seconds, 2),
        )
    return table


def _caption(board: Board, by: str | None) -> str:
    settings = board.settings
    order = f"Sorted by {by}." if by else "Complete methods first, then by excess modularity."
    beside = (
        f"; control: {', '.join(board.controls)} at the level selected on the image; excess: Q "
        "less control. "
        if board.controls
        else ". Run without a control: nothing here says whether noise would do as well. "
    )
    shared = [
        f"{name} {value}"
        for name, key in (("selector", "selectors"), ("graph", "graphs"), ("maps", "extractors"))
        if len(settings[key]) == 1
        for value in settings[key]
    ]
    return (
        f"{'; '.join(shared)}; {settings['levels']} levels. {order} Q: mean modularity{beside}"
        "found: maps on which the selector accepted a level; the others count with 0. "
        "Jaccard: between neighbouring levels of the stable phase. covered: share of nodes in a "
        "cluster. ok: maps with a result. s: the method's seconds for a map at all levels."
    )


def _figure(value: float | None, digits: int) -> str:
    # The sum keeps a rounded −0 from being shown as such.
    return NOTHING if value is None else f"{round(value, digits) + 0.0:.{digits}f}"
