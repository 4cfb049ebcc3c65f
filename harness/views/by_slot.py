"""Which heads cluster, as a table in the terminal."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.by_slot import SlotRow
from harness.views.numbers import NOTHING, p_text

CAPTION = (
    "Heads of each method by their excess. Q: mean modularity; control: the reference control's at "
    "the level selected on the image; excess: the difference, with its 95 % bootstrap interval "
    "over images; p: median over maps, selection included; signif: maps at a false discovery rate "
    "of 5 %, over all heads; k: clusters where accepted; ok: maps with a result."
)


def show(run: str, rows: Sequence[SlotRow], console: Console) -> None:
    """Print a row for each method and head."""
    table = Table(
        title=Text(run),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    varying = [
        name
        for name in ("selector", "graph", "extractor", "images")
        if len({getattr(row.figures, name) for row in rows}) > 1
    ]
    for name in ("clusterer", *varying):
        table.add_column(name, overflow="fold")
    layers = len({row.layer for row in rows}) > 1
    headers = ("head", "Q", "control", "excess", "95 %", "p", "signif", "k", "ok")
    for header in ("layer", *headers) if layers else headers:
        table.add_column(header, justify="right", no_wrap=True)
    for row in rows:
        figures = row.figures
        table.add_row(
            Text(figures.clusterer),
            *(Text(getattr(figures, name)) for name in varying),
            *([str(row.layer)] if layers else []),
            str(row.head),
            _figure(figures.modularity),
            _figure(figures.control_modularity),
            _figure(figures.excess),
            _interval(row),
            p_text(figures.p_value),
            NOTHING if figures.significant is None else f"{figures.significant}/{figures.ok}",
            _figure(figures.n_clusters, 1),
            f"{figures.ok}/{figures.total}",
        )
    console.print(table)
    console.print(Text(CAPTION))


def _figure(value: float | None, digits: int = 3) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"


def _interval(row: SlotRow) -> str:
    low, high = row.figures.excess_low, row.figures.excess_high
    return NOTHING if low is None or high is None else f"{low:.2f}…{high:.2f}"
