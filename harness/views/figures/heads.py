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
from harness.views.figures.style import (
    COLUMN,
    PAGE,
    SMALL,
    TALLEST,
    balanced,
    inches_of,
    new_figure,
    style,
    wrapped,
)
from harness.views.tables import short

UNDEFINED = "#DDDDDD"
SMALLEST_RANGE = 0.01
# Fraction of the colour scale that is dark.
DARK = 0.6
# Most inches of a cell, and least of one with a number in it, or between two numbers of an axis.
CELL, WRITTEN, APART = 0.36, 0.25, 0.15
# Inches that a matrix needs besides its cells: its axes with their names, and a colour bar.
AXES, BAR = 0.45, 0.6
# Least inches of a layer's matrix of heads, and of a large matrix.
LEAST, LARGE = 1.35, 2.6
Range = tuple[float, float]
# A measure with its matrices: between things of the same image, and of different images.
Similarity = tuple[str, Floats, Floats]
# Similarities are adjusted for chance, so 0 is chance and 1 is equal, in every figure.
SIMILARITIES: Range = (0.0, 1.0)


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
    width: float = PAGE,
) -> Figure:
    """A score by layer and head, (layers, heads): NaN is grey, marked cells have a star."""
    cell = min(CELL, (width - AXES - BAR) / len(heads), (TALLEST - AXES) / len(layers))
    across = min(width, max(COLUMN, AXES + BAR + cell * len(heads)))
    # The name of the colour bar needs room along it.
    beside = cell * len(layers) >= LEAST
    height = AXES + cell * len(layers) + (0 if beside else BAR)
    figure, ((panel,),) = new_figure(1, 1, across, height, title)
    drawn = _matrix(panel, effect, colours)
    _ticks(panel, heads, layers, cell)
    panel.set(xlabel="head", ylabel="layer")
    _write(panel, effect, marked, colours, cell)
    figure.colorbar(
        drawn, ax=panel, label=label, aspect=30, location="right" if beside else "bottom"
    )
    return figure


@style()
def layer_similarity(
    measures: Sequence[Similarity], layers: Sequence[int], *, title: str, width: float = PAGE
) -> Figure:
    """Layers by layers for each measure: within an image, and across images."""
    figure, panels, side = _pairs(measures, title, width)
    cell = (side - AXES) / len(layers)
    for panel, values in panels:
        _ticks(panel, layers, layers, cell)
        panel.set(xlabel="layer", ylabel="layer")
        _write(panel, values, np.zeros(values.shape, dtype=bool), SIMILARITIES, cell)
    return figure


@style()
def head_pair_similarity(
    measures: Sequence[Similarity], layers: Sequence[int], *, title: str, width: float = PAGE
) -> Figure:
    """All heads by all heads, ordered by layer; layers: the layer of each, (heads,)."""
    shown, starts, counts = np.unique(layers, return_index=True, return_counts=True)
    names, middles = shown.tolist(), starts + (counts - 1) / 2
    figure, panels, side = _pairs(measures, title, width)
    for panel, _ in panels:
        _ticks(panel, names, names, (side - AXES) / len(names), middles)
        for start in starts[1:]:
            panel.axhline(start - 0.5, color="white", linewidth=0.5)
            panel.axvline(start - 0.5, color="white", linewidth=0.5)
        panel.set(xlabel="heads, by layer", ylabel="heads, by layer")
    return figure


@style()
def head_similarity(
    by_layer: Sequence[tuple[int, Sequence[int], Floats]],
    measure: str,
    *,
    title: str,
    width: float = PAGE,
) -> Figure:
    """The heads of every layer by each other: the layer, its heads, and (heads, heads)."""
    rows, columns = balanced(len(by_layer), int((width - BAR) / LEAST))
    side = min((width - BAR) / columns, LARGE)
    cell = (side - AXES / 2) / max(len(heads) for _, heads, _ in by_layer)
    figure, panels = new_figure(
        rows, columns, columns * side + BAR, rows * (side + inches_of(" ") - AXES / 2), title
    )
    for panel in panels.flat[len(by_layer) :]:
        panel.set_axis_off()
    for panel, (layer, heads, values) in zip(panels.flat, by_layer, strict=False):
        drawn = _matrix(panel, values, SIMILARITIES)
        _ticks(panel, heads, heads, cell)
        _write(panel, values, np.zeros(values.shape, dtype=bool), SIMILARITIES, cell)
        panel.set_title(f"layer {layer}")
    _bar(figure, drawn, list(panels.flat), measure, [values for *_, values in by_layer])
    return figure


def colour_range(values: Floats) -> Range:
    """From the smallest value, at most 0, to the largest; NaN are ignored."""
    finite = values[np.isfinite(values)]
    return float(finite.min(initial=0.0)), max(float(finite.max(initial=0.0)), SMALLEST_RANGE)


def _pairs(
    measures: Sequence[Similarity], title: str, width: float
) -> tuple[Figure, Sequence[tuple[Axes, Floats]], float]:
    """Measures within an image and across images, all in the same colours.

    Both panels of a measure stand beside each other if there is room. Returns the panels with
    their values, and their side in inches.
    """
    columns = max(1, min(2, int((width - BAR) / LARGE)))
    side = (width - BAR) / columns
    rows = len(measures) * 2 // columns
    figure, panels = new_figure(rows, columns, width, rows * (side + inches_of(" ")), title)
    drawn = []
    for (measure, *matrices), row in zip(measures, panels.reshape(-1, 2), strict=True):
        images = ("the same image", "different images")
        for panel, values, of in zip(row, matrices, images, strict=True):
            image = _matrix(panel, values, SIMILARITIES)
            panel.set_title(wrapped(f"{measure}, {of}", side - AXES))
            drawn.append((panel, values))
    names = " and ".join(measure for measure, *_ in measures)
    _bar(figure, image, list(panels.flat), names, [values for _, values in drawn])
    return figure, drawn, side


def _bar(
    figure: Figure, drawn: AxesImage, panels: Sequence[Axes], name: str, every: Sequence[Floats]
) -> None:
    """The colour bar of similarities; an end with a point has smaller values beyond it."""
    is_below = any((values < SIMILARITIES[0]).any() for values in every)
    figure.colorbar(
        drawn, ax=panels, label=f"{name}: 0 is chance, 1 is equal; grey: none", shrink=0.8,
        aspect=30, extend="min" if is_below else "neither", extendfrac=0.03,
    )  # fmt: skip


def _matrix(panel: Axes, values: Floats, colours: Range) -> AxesImage:
    scale = colormaps["viridis"].with_extremes(bad=UNDEFINED)
    for spine in panel.spines.values():
        spine.set_visible(False)
    least, most = colours
    return panel.imshow(np.ma.masked_invalid(values), cmap=scale, vmin=least, vmax=most)


def _ticks(
    panel: Axes,
    across: Sequence[int],
    down: Sequence[int],
    cell: float,
    at: Floats | None = None,
) -> None:
    """Number columns and rows, each at its index or at the places given, as far as they fit.

    cell: the inches between two of them.
    """
    for numbers, set_ticks in ((across, panel.set_xticks), (down, panel.set_yticks)):
        places = np.arange(len(numbers)) if at is None else at
        step = max(1, math.ceil(APART / cell))
        set_ticks(places[::step], [str(number) for number in numbers[::step]])
    panel.tick_params(length=0)


def _write(
    panel: Axes, values: Floats, marked: NDArray[np.bool_], colours: Range, cell: float
) -> None:
    """Write numbers if cells of so many inches have room for them, and stars."""
    least, most = colours
    for (row, column), value in np.ndenumerate(values):
        number = short(value) if cell >= WRITTEN else ""
        text = number + ("*" if marked[row, column] else "")
        if np.isfinite(value) and text:
            dark = value < least + DARK * (most - least)
            panel.text(
                column, row, text, ha="center", va="center", fontsize=SMALL,
                color="white" if dark else "black",
            )  # fmt: skip
