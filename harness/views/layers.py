"""What layers and heads show, in the terminal."""

from collections.abc import Iterator, Sequence

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.by_slot import LayerRow, SlotRow
from harness.layers import MethodLayers, Similarity
from harness.values import Floats
from harness.views.numbers import NOTHING

LAYERS = (
    "Means over the maps of a layer, images × heads; 95 %: of excess, by bootstrap over images. Q: "
    "modularity; control: the reference control's at the level selected on the image; excess: the "
    "difference; k: clusters where accepted; Jaccard: stability; found: share of maps on which a "
    "level was accepted, the others count with 0; signif: share at a false discovery rate of 5 %, "
    "over all maps of the run; ok: maps with a result."
)
HEADS = (
    "Excess by layer and head; * where more than half of the head's maps are more than the control "
    "shows, · where no level was accepted on any."
)
SIMILAR = (
    "Clusters of one image on different heads, layer by layer: mean AMI over pairs of heads, then "
    "over images; 1 is the same, 0 chance. The diagonal is between the heads of one layer."
)
# Width of a cell of the tables of layers by heads or layers.
CELL = 6
BEST = 5
MOST_NAMED = 16


def show_rows(run: str, rows: Sequence[LayerRow], console: Console) -> None:
    """Print a row for each method and layer."""
    varying = [
        name
        for name in ("selector", "graph", "extractor", "images")
        if len({getattr(row.figures, name) for row in rows}) > 1
    ]
    table = _layer_table(Text(run), ("clusterer", *varying))
    for row in rows:
        names = (Text(getattr(row.figures, name)) for name in ("clusterer", *varying))
        table.add_row(*names, *_figures(row))
    console.print(table)
    console.print(Text(LAYERS))


def show(run: str, methods: Sequence[MethodLayers], console: Console) -> None:
    """Print for each method its layers, its heads, which of them cluster, and what is alike."""
    console.print(Text(run))
    for method, name in zip(methods, names(methods), strict=True):
        console.print()
        table = _layer_table(Text(name, style="bold"), ())
        for row in method.layers:
            table.add_row(*_figures(row))
        console.print(table)
        if len(method.heads) > len(method.layers):
            console.print()
            _show_heads(method, console)
        for line in _which_heads(method.heads):
            console.print(Text(line))
        if method.image_pairs or method.compared:
            console.print()
            _show_similarity(method, console)
    console.print()
    for text in (LAYERS, HEADS, SIMILAR):
        console.print(Text(text, style="italic dim"))


def names(methods: Sequence[MethodLayers]) -> list[str]:
    """Methods' clusterers, with what else is not the same for all."""
    varying = [
        name
        for name in ("selector", "graph", "extractor", "images")
        if len({getattr(method, name) for method in methods}) > 1
    ]
    return [
        " ".join([method.clusterer, *(getattr(method, name) for name in varying)])
        for method in methods
    ]


def _layer_table(title: Text, words: Sequence[str]) -> Table:
    table = _table(title)
    for word in words:
        table.add_column(word, overflow="fold")
    for header in (
        "layer", "Q", "control", "excess", "95 %", "k", "Jaccard", "found", "signif", "ok",
    ):  # fmt: skip
        table.add_column(header, justify="right", no_wrap=True)
    return table


def _table(title: Text | None = None) -> Table:
    return Table(
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
    )


def _figures(row: LayerRow) -> list[str]:
    figures = row.figures
    low, high = figures.excess_low, figures.excess_high
    return [
        str(row.layer),
        _figure(figures.modularity, 3),
        _figure(figures.control_modularity, 3),
        _figure(figures.excess, 3),
        NOTHING if low is None or high is None else f"{low:.2f}…{high:.2f}",
        _figure(figures.n_clusters, 1),
        _figure(figures.jaccard, 2),
        _share(row.found_share),
        _share(row.significant_share),
        f"{figures.ok}/{figures.total}",
    ]


def _figure(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"


def _share(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.0%}"


def _show_heads(method: MethodLayers, console: Console) -> None:
    by_place = {(row.layer, row.head): _excess(row) for row in method.heads}
    layers = sorted({layer for layer, _ in by_place})
    heads = sorted({head for _, head in by_place})
    cells = [[by_place.get((layer, head), "") for head in heads] for layer in layers]
    _show_blocks("head", layers, heads, cells, console)


def _excess(row: SlotRow) -> str:
    figures = row.figures
    score = figures.modularity if figures.excess is None else figures.excess
    if score is None:
        return NOTHING
    if not figures.accepted:
        return "·"
    return short(score) + ("*" if (row.significant_share or 0) > 0.5 else " ")


def short(value: float) -> str:
    """Two digits without the 0 before the point."""
    text = f"{round(value, 2) + 0.0:.2f}"
    return text.replace("0.", ".", 1) if abs(value) < 0.995 else text


def _show_blocks(
    across: str,
    rows: Sequence[int],
    columns: Sequence[int],
    cells: Sequence[Sequence[str]],
    console: Console,
) -> None:
    """Print a table of layers by something; in several where it is too wide for the terminal."""
    fitting = max(1, (console.width - len("layer ")) // CELL)
    for first in range(0, len(columns), fitting):
        shown = slice(first, first + fitting)
        table = _table()
        table.add_column("layer", justify="right", no_wrap=True)
        for number, column in enumerate(columns[shown]):
            header = f"{across} {column}" if number == 0 and across == "head" else str(column)
            table.add_column(header, justify="right", no_wrap=True, min_width=CELL - 1)
        for row, line in zip(rows, cells, strict=True):
            table.add_row(str(row), *line[shown])
        console.print(table)


def _which_heads(heads: Sequence[SlotRow]) -> Iterator[str]:
    """Which heads cluster and which do not, in lines; nothing of a run without control."""
    tested = [row for row in heads if row.significant_share is not None]
    if not tested:
        return
    ordered = sorted(tested, key=lambda row: -(row.figures.excess or 0.0))
    most = [row for row in ordered if (row.significant_share or 0.0) > 0.5]
    none = [row for row in ordered if not row.figures.significant]
    best = ", ".join(
        f"{_place(row)} ({short(row.figures.excess or 0.0)}, "
        f"{row.figures.significant}/{row.figures.ok})"
        for row in ordered[:BEST]
    )
    yield f"Best heads, as LAYER.HEAD (excess, significant maps): {best}"
    yield (
        f"{len(most)} of {len(heads)} heads cluster beyond the control on most images, "
        f"{len(tested) - len(most) - len(none)} on some, {len(none)} on none"
        + (f": {_listed(none)}" if none and (most or len(none) < len(tested)) else "")
    )
    if len(tested) < len(heads):
        yield f"{len(heads) - len(tested)} heads have no result on any image."
    if len(none) == len(tested):
        least = min((row.figures.p_value for row in tested if row.figures.p_value is not None))
        yield (
            f"No map is significant. The smallest median p of a head is {least:.3f}; p is never "
            "below 1 / (draws + 1), and must be far below .05 where few of many maps stand out: "
            "more --nulls tell more."
        )


def _place(row: SlotRow) -> str:
    return f"{row.layer}.{row.head}"


def _listed(rows: Sequence[SlotRow]) -> str:
    in_order = sorted(rows, key=lambda row: (row.layer, row.head))
    named = " ".join(map(_place, in_order[:MOST_NAMED]))
    left = len(rows) - MOST_NAMED
    return f"{named} and {left} more" if left > 0 else named


def _show_similarity(method: MethodLayers, console: Console) -> None:
    layers = [row.layer for row in method.layers]
    ami = method.similarities[0]
    if len(layers) > 1:
        console.print(Text("layers by layers, AMI"))
        cells = [
            [NOTHING if np.isnan(value) else short(value) for value in line] for line in ami.layers
        ]
        _show_blocks("layer", layers, layers, cells, console)
    images = int(ami.slot_images.max(initial=0))
    for similarity in method.similarities:
        console.print(Text(_summary(similarity)))
    console.print(
        Text(
            f"Compared: {method.compared} partitions of {images} images at most a pair of heads, "
            f"{method.image_pairs} pairs of different images."
            + (f" {method.trivial} partitions of one cluster are not." if method.trivial else "")
        )
    )


def _summary(similarity: Similarity) -> str:
    """One measure between heads of a layer, of neighbouring layers, and of all layers."""
    own, other = similarity.layers, similarity.layers_elsewhere
    count = len(own)
    parts = [("heads of one layer", np.eye(count, dtype=bool))]
    if count > 1:
        parts.append(("neighbouring layers", np.eye(count, k=1, dtype=bool)))
        parts.append(("first and last", np.eye(count, k=count - 1, dtype=bool)))
    told = "; ".join(
        f"{name} {_mean(own, where)}, across images {_mean(other, where)}" for name, where in parts
    )
    return f"{similarity.measure}: {told}"


def _mean(values: Floats, where: np.ndarray) -> str:
    defined = values[where & ~np.isnan(values)]
    return short(float(defined.mean())) if len(defined) else NOTHING
