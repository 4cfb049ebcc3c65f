"""What layers and heads show: in the terminal, and as tidy rows, one observation a row."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from harness.analysis.labels import method_labels
from harness.analysis.layers import HeadRow, MethodLayers, flat_row
from harness.analysis.method import MethodKey
from harness.analysis.similarity import Similarity
from harness.plugin.values import Floats
from harness.store import none_for_nan
from harness.views.leaderboard import LAYERS, layer_columns
from harness.views.tables import (
    CAPTION,
    NOTHING,
    Column,
    p_text,
    print_legend,
    print_text,
    short,
    show_table,
)

HEADS = (
    "Layers by heads: effect, or modularity without a control; *: more than half of the head's "
    "maps are significant; ·: none has an accepted level."
)
SIMILAR = (
    "Layers by layers: mean AMI of one image's clusters over pairs of heads, then over images; 1 "
    "is the same, 0 chance."
)
# Widths of the first column (with the longer heading of the second), and of the others.
FIRST, CELL = 8, 6
BEST = 5
MOST_NAMED = 16
Rows = list[dict[str, Any]]


def show(run: str, methods: Sequence[MethodLayers], console: Console) -> None:
    """Print each method's layers and heads, which of them cluster, and how similar they are."""
    columns = layer_columns()
    print_text(console, run)
    for method, name in zip(methods, method_labels([each.method for each in methods]), strict=True):
        console.print()
        show_table(console, columns, method.layers, title=name, explain=False)
        if len(method.heads) > len(method.layers):
            console.print()
            _show_heads(method, console)
        for line in _which_heads(method.heads):
            print_text(console, line)
        console.print()
        _show_similarity(method, console)
    console.print()
    print_legend(console, columns, LAYERS)
    for text in (HEADS, SIMILAR):
        print_text(console, text, CAPTION)


def _show_heads(method: MethodLayers, console: Console) -> None:
    by_head = {(row.layer, row.head): _score(row) for row in method.heads}
    layers = [row.layer for row in method.layers]
    heads = sorted({head for _, head in by_head})
    rows = [(layer, [by_head.get((layer, head), "") for head in heads]) for layer in layers]
    _show_matrix("head", heads, rows, console)


def _score(row: HeadRow) -> str:
    if row.score is None:
        return NOTHING
    if not row.accepted:
        return "·"
    return short(row.score) + ("*" if (row.significant_fraction or 0) > 0.5 else " ")


def _show_matrix(
    what: str, numbers: Sequence[int], rows: Sequence[tuple[int, Sequence[str]]], console: Console
) -> None:
    """Print layers by heads or layers, in several tables where one is too wide for the console."""
    fitting = max(1, (console.width - FIRST) // CELL)

    def column(at: int) -> Column[tuple[int, Sequence[str]]]:
        heading = f"{what} {numbers[at]}" if at % fitting == 0 else str(numbers[at])
        return Column(heading, lambda row: row[1][at], width=CELL - 2)

    layer = Column[tuple[int, Sequence[str]]]("layer", lambda row: str(row[0]))
    for first in range(0, len(numbers), fitting):
        shown = range(first, min(first + fitting, len(numbers)))
        show_table(console, [layer, *map(column, shown)], rows)


def _which_heads(heads: Sequence[HeadRow]) -> Iterator[str]:
    """Lines about which heads cluster and which do not; none for a run without a control."""
    tested = [row for row in heads if row.significant_fraction is not None]
    if not tested:
        return
    ordered = sorted(tested, key=lambda row: -(row.effect or 0.0))
    most = [row for row in ordered if (row.significant_fraction or 0.0) > 0.5]
    none = [row for row in ordered if not row.significant]
    best = ", ".join(
        f"{row.layer}.{row.head} ({short(row.effect or 0.0)}, {row.significant}/{row.ok})"
        for row in ordered[:BEST]
    )
    yield f"Best heads, as LAYER.HEAD (effect, significant maps): {best}"
    yield (
        f"{len(most)} of {len(heads)} heads cluster beyond the control on most images, "
        f"{len(tested) - len(most) - len(none)} on some, {len(none)} on none"
        + (f": {_listed(none)}" if none and len(none) < len(tested) else "")
    )
    if len(tested) < len(heads):
        yield f"{len(heads) - len(tested)} heads have no result on any image."
    if len(none) == len(tested):
        least = min(1.0 if row.p_value is None else row.p_value for row in tested)
        yield (
            f"No map is significant. The smallest median p of a head is {p_text(least)}; p is "
            "never below 1 / (draws + 1), and must be far below .05 if few of many maps stand out. "
            "More --nulls allow smaller values."
        )


def _listed(rows: Sequence[HeadRow]) -> str:
    in_order = sorted(rows, key=lambda row: (row.layer, row.head))
    named = " ".join(f"{row.layer}.{row.head}" for row in in_order[:MOST_NAMED])
    left = len(rows) - MOST_NAMED
    return f"{named} and {left} more" if left > 0 else named


def _show_similarity(method: MethodLayers, console: Console) -> None:
    if not method.compared:
        print_text(console, "No partition was accepted: there is nothing to compare.")
        return
    layers = [row.layer for row in method.layers]
    ami = method.similarities[0]
    if len(layers) > 1:
        rows = [(layer, list(map(short, of))) for layer, of in zip(layers, ami.layers, strict=True)]
        print_text(console, "layers by layers, AMI")
        _show_matrix("layer", layers, rows, console)
    for similarity in method.similarities:
        print_text(console, _summary(similarity))
    trivial = (
        f" {method.trivial} of one cluster or none are not compared." if method.trivial else ""
    )
    print_text(
        console,
        f"Compared: {method.compared} accepted partitions; of one image, over up to "
        f"{ami.head_images.max(initial=0)} images a pair of heads; across images, over "
        f"{method.image_pairs} pairs of images.{trivial}",
    )


def _summary(similarity: Similarity) -> str:
    """Mean similarity of heads in one layer, in neighbouring layers, and in the outermost ones."""
    own, other = similarity.layers, similarity.layers_elsewhere
    count = len(own)
    parts = [("heads of one layer", np.eye(count, dtype=bool))]
    if count > 1:
        parts.append(("neighbouring layers", np.eye(count, k=1, dtype=bool)))
        parts.append(("first and last", np.eye(count, k=count - 1, dtype=bool)))
    means = "; ".join(
        f"{name} {_mean(own, where)}, across images {_mean(other, where)}" for name, where in parts
    )
    return f"{similarity.measure}: {means}"


def _mean(values: Floats, where: NDArray[np.bool_]) -> str:
    defined = values[where & ~np.isnan(values)]
    return short(float(defined.mean())) if len(defined) else NOTHING


def tables(methods: Sequence[MethodLayers]) -> Mapping[str, Rows]:
    """The rows of all methods by table: layers, heads, similarity."""
    found = [_tables(method) for method in methods]
    return {name: [row for each in found for row in each[name]] for name in found[0]}


def document(methods: Sequence[MethodLayers]) -> list[dict[str, Any]]:
    """Every method with its rows, for JSON."""
    found = []
    for method in methods:
        counts = {name: getattr(method, name) for name in ("compared", "trivial", "image_pairs")}
        of_method = {
            table: [
                {name: row[name] for name in row if name not in MethodKey._fields} for row in rows
            ]
            for table, rows in _tables(method).items()
        }
        found.append({**method.method._asdict(), **counts, **of_method})
    return found


def _tables(method: MethodLayers) -> dict[str, Rows]:
    identity = method.method._asdict()
    return {
        "layers": [flat_row(row) for row in method.layers],
        "heads": [_head(method, at) for at in range(len(method.heads))],
        "similarity": [
            {**identity, "measure": each.measure, **row}
            for each in method.similarities
            for row in _pairs(method, each)
        ],
    }


def _head(method: MethodLayers, at: int) -> dict[str, Any]:
    """A head's scores, and how similar its clusters are on different images."""
    across = {
        f"{each.measure.lower()}_across_images": none_for_nan(float(each.heads_elsewhere[at, at]))
        for each in method.similarities
    }
    return {**flat_row(method.heads[at]), **across}


def _pairs(method: MethodLayers, of: Similarity) -> Iterator[dict[str, Any]]:
    """A row for every two layers, also a layer and itself, and for every two heads."""
    layers = [(row.layer, None) for row in method.layers]
    heads = [(row.layer, row.head) for row in method.heads]
    no_bounds = np.full_like(of.heads, np.nan)
    of_layers = of.layers, of.low, of.high, of.layers_elsewhere
    of_heads = of.heads, no_bounds, no_bounds, of.heads_elsewhere
    for between, names, images, matrices in (
        ("layers", layers, of.layer_images, of_layers),
        ("heads", heads, of.head_images, of_heads),
    ):
        for pair in zip(*np.triu_indices(len(names), int(between == "heads")), strict=True):
            similarity, low, high, across = (none_for_nan(float(each[pair])) for each in matrices)
            (layer, head), (other_layer, other_head) = (names[at] for at in pair)
            yield {
                "between": between,
                "layer": layer,
                "head": head,
                "other_layer": other_layer,
                "other_head": other_head,
                "similarity": similarity,
                "low": low,
                "high": high,
                "images": int(images[pair]),
                "across_images": across,
            }
