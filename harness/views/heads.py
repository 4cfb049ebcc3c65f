"""Which heads and layers cluster, as tables in the terminal."""

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.analysis.layers import HeadRow, LayerRow
from harness.analysis.method import differing_fields
from harness.views.tables import NOTHING, p_text

HEADS = (
    "Heads of each method by their excess. Q: mean modularity; control: the reference control's at "
    "the level selected on the image; excess: the difference, with its 95 % bootstrap interval "
    "over images; p: median over maps, selection included; signif: maps at a false discovery rate "
    "of 5 %, over all heads; k: clusters where accepted; ok: maps with a result."
)
LAYERS = (
    "Means over the maps of a layer, images × heads. Q: modularity; control: the reference "
    "control's at the level selected on the image; excess: the difference, with its 95 % interval "
    "by bootstrap over images, as heads of one image are no independent evidence; k: clusters "
    "where accepted; Jaccard: stability; found: maps on which a level was accepted, the others "
    "count with 0; signif: maps at a false discovery rate of 5 %, over all maps of the run; ok: "
    "maps with a result."
)


def show_heads(run: str, rows: Sequence[HeadRow], console: Console) -> None:
    """Print a row for each method and head."""
    varying = _varying(rows)
    layers = len({row.layer for row in rows}) > 1
    headers = ("head", "Q", "control", "excess", "95 %", "p", "signif", "k", "ok")
    table = table_of(("layer", *headers) if layers else headers, ("clusterer", *varying), Text(run))
    for row in rows:
        figures = row.figures
        table.add_row(
            *(Text(getattr(figures.method, name)) for name in ("clusterer", *varying)),
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
    console.print(Text(HEADS))


def show_layers(run: str, rows: Sequence[LayerRow], console: Console) -> None:
    """Print a row for each method and layer."""
    console.print(layer_table(Text(run), rows, ("clusterer", *_varying(rows))))
    console.print(Text(LAYERS))


def layer_table(title: Text, rows: Sequence[LayerRow], names: Sequence[str]) -> Table:
    """A row for each layer; names: what of a method is said in it."""
    headers = (
        "layer", "Q", "control", "excess", "95 %", "k", "Jaccard", "found", "signif", "ok",
    )  # fmt: skip
    table = table_of(headers, names, title)
    for row in rows:
        figures = row.figures
        table.add_row(
            *(Text(getattr(figures.method, name)) for name in names),
            str(row.layer),
            _figure(figures.modularity),
            _figure(figures.control_modularity),
            _figure(figures.excess),
            _interval(row),
            _figure(figures.n_clusters, 1),
            _figure(figures.jaccard, 2),
            _share(figures.accepted_fraction),
            _share(figures.significant_fraction),
            f"{figures.ok}/{figures.total}",
        )
    return table


def table_of(headers: Sequence[str], words: Sequence[str] = (), title: Text | None = None) -> Table:
    """An empty table with columns of words, then of figures."""
    table = Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )
    for word in words:
        table.add_column(word, overflow="fold")
    for header in headers:
        table.add_column(header, justify="right", no_wrap=True)
    return table


def _varying(rows: Sequence[HeadRow | LayerRow]) -> list[str]:
    return differing_fields([row.figures.method for row in rows])[1:]


def _figure(value: float | None, digits: int = 3) -> str:
    return NOTHING if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.0%}"


def _interval(row: HeadRow | LayerRow) -> str:
    low, high = row.figures.excess_low, row.figures.excess_high
    return NOTHING if low is None or high is None else f"{low:.2f}…{high:.2f}"
