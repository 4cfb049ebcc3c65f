"""What layers and heads show, in the terminal."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.text import Text

from harness.analysis.layers import HeadRow, MethodLayers
from harness.analysis.method import short_names
from harness.analysis.similarity import Similarity
from harness.plugin.values import Floats
from harness.views.heads import LAYERS, layer_table, table_of
from harness.views.tables import NOTHING, p_text, short

HEADS = (
    "Excess by layer and head, or modularity where there is no control; * where more than half of "
    "the head's maps are more than the control shows, · where no level was accepted on any."
)
SIMILAR = (
    "Clusters of one image on different heads, layer by layer: mean AMI over pairs of heads, then "
    "over images; 1 is the same, 0 chance. The diagonal is between the heads of one layer."
)
# Widths of the first column, with what its header adds to the second, and of each column.
FIRST, CELL = 8, 6
BEST = 5
MOST_NAMED = 16


def show(run: str, methods: Sequence[MethodLayers], console: Console) -> None:
    """Print for each method its layers, its heads, which of them cluster, and what is alike."""
    console.print(Text(run))
    for method, name in zip(methods, names(methods), strict=True):
        console.print()
        console.print(layer_table(Text(name, style="bold"), method.layers, ()))
        if len(method.heads) > len(method.layers):
            console.print()
            _show_heads(method, console)
        for line in _which_heads(method.heads):
            console.print(Text(line))
        console.print()
        _show_similarity(method, console)
    console.print()
    for text in (LAYERS, HEADS, SIMILAR):
        console.print(Text(text, style="italic dim"))


def names(methods: Sequence[MethodLayers]) -> list[str]:
    """Methods' clusterers, with what else is not the same for all."""
    return short_names([method.method for method in methods])


def _show_heads(method: MethodLayers, console: Console) -> None:
    by_place = {(row.layer, row.head): _excess(row) for row in method.heads}
    layers = sorted({layer for layer, _ in by_place})
    heads = sorted({head for _, head in by_place})
    cells = [[by_place.get((layer, head), "") for head in heads] for layer in layers]
    _show_blocks("head", layers, heads, cells, console)


def _excess(row: HeadRow) -> str:
    figures = row.figures
    score = figures.modularity if figures.excess is None else figures.excess
    if score is None:
        return NOTHING
    if not figures.accepted:
        return "·"
    return short(score) + ("*" if (row.figures.significant_fraction or 0) > 0.5 else " ")


def _show_blocks(
    across: str,
    rows: Sequence[int],
    columns: Sequence[int],
    cells: Sequence[Sequence[str]],
    console: Console,
) -> None:
    """Print a table of layers by something; in several where it is too wide for the terminal."""
    fitting = max(1, (console.width - FIRST) // CELL)
    for first in range(0, len(columns), fitting):
        shown = slice(first, first + fitting)
        table = table_of(("layer",))
        for number, column in enumerate(columns[shown]):
            header = f"{across} {column}" if number == 0 and across == "head" else str(column)
            table.add_column(header, justify="right", no_wrap=True, min_width=CELL - 2)
        for row, line in zip(rows, cells, strict=True):
            table.add_row(str(row), *line[shown])
        console.print(table)


def _which_heads(heads: Sequence[HeadRow]) -> Iterator[str]:
    """Which heads cluster and which do not, in lines; nothing of a run without control."""
    tested = [row for row in heads if row.figures.significant_fraction is not None]
    if not tested:
        return
    ordered = sorted(tested, key=lambda row: -(row.figures.excess or 0.0))
    most = [row for row in ordered if (row.figures.significant_fraction or 0.0) > 0.5]
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
        + (f": {_listed(none)}" if none and len(none) < len(tested) else "")
    )
    if len(tested) < len(heads):
        yield f"{len(heads) - len(tested)} heads have no result on any image."
    if len(none) == len(tested):
        least = min(1.0 if row.figures.p_value is None else row.figures.p_value for row in tested)
        yield (
            f"No map is significant. The smallest median p of a head is {p_text(least)}; p is "
            "never below 1 / (draws + 1), and must be far below .05 where few of many maps stand "
            "out: more --nulls tell more."
        )


def _place(row: HeadRow) -> str:
    return f"{row.layer}.{row.head}"


def _listed(rows: Sequence[HeadRow]) -> str:
    in_order = sorted(rows, key=lambda row: (row.layer, row.head))
    named = " ".join(map(_place, in_order[:MOST_NAMED]))
    left = len(rows) - MOST_NAMED
    return f"{named} and {left} more" if left > 0 else named


def _show_similarity(method: MethodLayers, console: Console) -> None:
    if not method.compared:
        console.print(Text("No partition was accepted: there is nothing to compare."))
        return
    layers = [row.layer for row in method.layers]
    ami = method.similarities[0]
    if len(layers) > 1:
        console.print(Text("layers by layers, AMI"))
        cells = [
            [NOTHING if np.isnan(value) else short(value) for value in line] for line in ami.layers
        ]
        _show_blocks("layer", layers, layers, cells, console)
    images = int(ami.head_images.max(initial=0))
    for similarity in method.similarities:
        console.print(Text(_summary(similarity)))
    console.print(
        Text(
            f"Compared: {method.compared} accepted partitions; of one image, over up to {images} "
            f"images a pair of heads; across images, over {method.image_pairs} pairs of images."
            + (
                f" {method.trivial} of one cluster or none are not compared."
                if method.trivial
                else ""
            )
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


def _mean(values: Floats, where: NDArray[np.bool_]) -> str:
    defined = values[where & ~np.isnan(values)]
    return short(float(defined.mean())) if len(defined) else NOTHING
