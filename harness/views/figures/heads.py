"""Heads and layers as matrices: their effect, and how similar their clusters are."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from harness.plugin.values import Floats
from harness.views.figures.style import new_figure, style
from harness.views.tables import short

UNDEFINED = "#DDDDDD"
ACROSS = 4
# Most rows and columns of a matrix with numbers in its cells.
MOST_WRITTEN = 16
CELL = 0.36
SMALLEST_RANGE = 0.01
# Fraction of the colour scale that is dark.
DARK = 0.6
Range = tuple[float, float]
# A measure with its matrices: between things of the same image, and of different images.
Similarity = tuple[str, Floats, Floats]


@style()
def head_figure(
    effect: Floats,
    marked: NDArray[np.bool_],
    layers: Sequence[int],
    heads: Sequence[int],
    *,
    title: str,
    colours: Range,
    label: str = "effect on modularity",
) -> Figure:
    """A score by layer and head, (layers, heads): NaN is grey, marked cells have a star."""
    size = max(3.6, 1.6 + CELL * len(heads)), 1.4 + 0.3 * len(layers)
    figure, ((panel,),) = new_figure(1, 1, *size, title)
    drawn = _matrix(panel, effect, colours)
    _ticks(panel, heads, layers)
    panel.set(xlabel="head", ylabel="layer")
    _write(panel, effect, marked, colours)
    figure.colorbar(drawn, ax=panel, label=label)
    return figure


@style()
def layer_similarity(
    measures: Sequence[Similarity], layers: Sequence[int], *, title: str
) -> Figure:
    """Layers by layers, one row for each measure: within an image, and across images."""
    side = max(3.2, 1.0 + CELL * min(len(layers), MOST_WRITTEN))
    figure, panels = new_figure(len(measures), 2, 2 * side + 1, len(measures) * side, title)
    for measure, row in zip(measures, panels, strict=True):
        colours = _pair(figure, row, measure)
        for panel, values in zip(row, measure[1:], strict=True):
            _ticks(panel, layers, layers)
            panel.set(xlabel="layer", ylabel="layer")
            _write(panel, values, np.zeros(values.shape, dtype=bool), colours)
    return figure


@style()
def head_pair_similarity(
    measures: Sequence[Similarity], layers: Sequence[int], *, title: str
) -> Figure:
    """All heads by all heads, ordered by layer; layers: the layer of each, (heads,)."""
    shown, starts, counts = np.unique(layers, return_index=True, return_counts=True)
    names, middles = shown.tolist(), starts + (counts - 1) / 2
    figure, panels = new_figure(len(measures), 2, 10, 4.8 * len(measures), title)
    for measure, row in zip(measures, panels, strict=True):
        _pair(figure, row, measure)
        for panel in row:
            _ticks(panel, names, names, middles)
            for start in starts[1:]:
                panel.axhline(start - 0.5, color="white", linewidth=0.5)
                panel.axvline(start - 0.5, color="white", linewidth=0.5)
            panel.set(xlabel="heads, by layer", ylabel="heads, by layer")
    return figure


@style()
def head_similarity(
    by_layer: Sequence[tuple[int, Sequence[int], Floats]], measure: str, *, title: str
) -> Figure:
    """The heads of every layer by each other: the layer, its heads, and (heads, heads)."""
    columns = min(ACROSS, len(by_layer))
    rows = math.ceil(len(by_layer) / columns)
    side = max(1.7, 0.7 + 0.28 * max(len(heads) for _, heads, _ in by_layer))
    figure, panels = new_figure(rows, columns, columns * side + 1, rows * side + 0.5, title)
    colours = colour_range(np.concatenate([values.ravel() for *_, values in by_layer]))
    for panel in panels.flat[len(by_layer) :]:
        panel.set_axis_off()
    for panel, (layer, heads, values) in zip(panels.flat, by_layer, strict=False):
        drawn = _matrix(panel, values, colours)
        _ticks(panel, heads, heads)
        panel.set_title(f"layer {layer}", fontsize=9)
    figure.colorbar(drawn, ax=panels, label=measure, shrink=0.6)
    return figure


def colour_range(values: Floats) -> Range:
    """From the smallest value, at most 0, to the largest; NaN are ignored."""
    finite = values[np.isfinite(values)]
    return float(finite.min(initial=0.0)), max(float(finite.max(initial=0.0)), SMALLEST_RANGE)


def _pair(figure: Figure, row: Sequence[Axes], similarity: Similarity) -> Range:
    """Draw a measure within an image and across images, in the same colours; return their range."""
    measure, *matrices = similarity
    colours = colour_range(np.stack(matrices))
    for panel, values, images in zip(
        row, matrices, ("the same image", "different images"), strict=True
    ):
        drawn = _matrix(panel, values, colours)
        panel.set_title(f"{measure}, {images}")
    figure.colorbar(drawn, ax=row, label=f"{measure} (0 is chance)")
    return colours


def _matrix(panel: Axes, values: Floats, colours: Range) -> AxesImage:
    scale = colormaps["viridis"].with_extremes(bad=UNDEFINED)
    for spine in panel.spines.values():
        spine.set_visible(False)
    least, most = colours
    return panel.imshow(np.ma.masked_invalid(values), cmap=scale, vmin=least, vmax=most)


def _ticks(
    panel: Axes, across: Sequence[int], down: Sequence[int], at: Floats | None = None
) -> None:
    """Number columns and rows, each at its index or at the places given."""
    panel.set_xticks(range(len(across)) if at is None else at, [str(number) for number in across])
    panel.set_yticks(range(len(down)) if at is None else at, [str(number) for number in down])
    panel.tick_params(length=0, labelsize=7)


def _write(panel: Axes, values: Floats, marked: NDArray[np.bool_], colours: Range) -> None:
    """Write numbers if there is room for them, and stars."""
    small = max(values.shape) > MOST_WRITTEN
    least, most = colours
    for (row, column), value in np.ndenumerate(values):
        text = ("" if small else short(value)) + ("*" if marked[row, column] else "")
        if np.isfinite(value) and text:
            dark = value < least + DARK * (most - least)
            panel.text(
                column, row, text, ha="center", va="center", fontsize=6,
                color="white" if dark else "black",
            )  # fmt: skip
