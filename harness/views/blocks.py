"""Plots and pictures of block characters, readable with colour and without."""

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from harness.analysis.image import MethodReport, SelectorReport
from harness.plugin.values import UNASSIGNED, Floats, Integers
from harness.views.figures.style import CHOSEN, COLOURS, NOISE, by_size, cluster_colours
from harness.views.tables import safe_text

EIGHTHS = " ▁▂▃▄▅▆▇█"
SHADES = " ░▒▓█"
NAMES = "123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
IN_NONE = "·"
UNNAMED = "+"
# What is plotted, in how many lines, and the form of its largest value.
PLOTS = (("modularity", 5, ".2f"), ("n_clusters", 3, ".0f"))
# Columns of a plot, which are shared by the levels.
PLOT_WIDTH = 32
# Width of the numbers next to a plot.
AXIS_WIDTH = 6


def bars(values: Floats, top: float, rows: int, width: int = 1) -> list[str]:
    """A bar of `width` characters for each value in 0 … top, as `rows` lines from the top down.

    Undefined and negative values have no bar; any positive value is visible.
    """
    shares = np.clip(np.nan_to_num(values) / top if top > 0 else np.zeros(len(values)), 0, 1)
    eighths = np.where(shares > 0, np.maximum(np.rint(shares * rows * 8), 1), 0).astype(int)
    return [
        "".join(EIGHTHS[min(max(height - 8 * row, 0), 8)] * width for height in eighths)
        for row in reversed(range(rows))
    ]


def profile_plot(method: MethodReport) -> RenderableType:
    """Modularity and number of clusters over the levels, next to the control on the same scale."""
    profile, noise = method.profile, method.noise
    grid = Table.grid(padding=(0, 3))
    grid.add_row(
        safe_text(f"{method.clusterer}: modularity, clusters below", "bold"),
        safe_text(f"control: {noise.control}, mean of {noise.draws}" if noise else "", "bold"),
    )
    shown = ((profile, COLOURS[0]), *([] if noise is None else [(noise, NOISE)]))
    for name, rows, form in PLOTS:
        drawn = [(getattr(each, name).astype(np.float64), colour) for each, colour in shown]
        top = max(0.0, *(float(np.nanmax(values, initial=0.0)) for values, _ in drawn))
        grid.add_row(*(_plot(values, top, rows, form, colour) for values, colour in drawn))
    marks = Group(*(_marks(profile.levels, selection) for selection in method.selections))
    grid.add_row(marks, _marks(profile.levels, None) if noise else "")
    return grid


def _plot(values: Floats, top: float, rows: int, form: str, colour: str) -> Text:
    lines = []
    for row, line in enumerate(bars(values, top, rows, _bar_width(len(values)))):
        number = format(top, form) if not row else ("0" if row == rows - 1 else "")
        lines.append(Text.assemble((f"{number:>{AXIS_WIDTH - 2}} ▏", "dim"), (line, colour)))
    return Text("\n").join(lines)


def _bar_width(levels: int) -> int:
    return max(1, PLOT_WIDTH // levels)


def _marks(levels: Floats, selection: SelectorReport | None) -> Text:
    """The axis below a plot: the selected level, the stable phase, and the ends of the axis."""
    width = _bar_width(len(levels))
    line = ["─"] * (width * len(levels))
    if selection is not None and selection.plateau is not None:
        first, last = selection.plateau
        line[width * first : width * (last + 1)] = "━" * width * (last + 1 - first)
    if selection is not None and selection.candidate is not None:
        line[width * selection.candidate + (width - 1) // 2] = "▲" if selection.accepted else "△"
    ends = f"{levels[0]:.2f}", f"{levels[-1]:.2f}"
    middle = "" if selection is None else selection.selector
    room = max(len(line) - sum(map(len, ends)), 0)
    below = ends[0] + middle[: max(room - 2, 0)].center(room) + ends[1]
    blank = " " * AXIS_WIDTH
    return Text.assemble(blank, ("".join(line), CHOSEN), "\n", blank, safe_text(below, "dim"))


def cluster_names(labels: Integers) -> dict[int, str]:
    """One character for each cluster, 1 for the largest; from the 62nd on it is +."""
    names = {
        label: NAMES[place] if place < len(NAMES) else UNNAMED
        for place, label in enumerate(by_size(labels))
    }
    return {**names, UNASSIGNED: IN_NONE}


def cluster_map(labels: Integers, grid: tuple[int, int]) -> Text:
    """Every patch as the name of its cluster, on the cluster's colour."""
    names = cluster_names(labels)
    styles = {label: _on(*colour) for label, colour in cluster_colours(labels).items()}
    lines = [
        Text.assemble(*((f"{names[label]} ", styles[label]) for label in row))
        for row in labels.reshape(grid).tolist()
    ]
    return Text("\n").join(lines)


def shaded(brightness: Floats, columns: int) -> Text:
    """A picture (height, width) of values in 0 … 1, in lines of at most `columns` characters.

    Each character shows the mean of the part of the picture that it covers.
    """
    height, width = brightness.shape
    columns = min(columns, 2 * width)
    rows = max(1, round(height / width * columns / 2))
    means = _means(_means(brightness, rows, 0), columns, 1)
    places = np.rint(means * (len(SHADES) - 1)).astype(int)
    return Text("\n".join("".join(SHADES[place] for place in row) for row in places))


def _means(values: Floats, count: int, axis: int) -> Floats:
    """The means of `count` bins of equal size along an axis."""
    edges = np.arange(count + 1) * values.shape[axis] // count
    sizes = np.maximum(np.diff(edges), 1)
    sums = np.add.reduceat(values, edges[:-1], axis)
    return np.asarray(sums / np.expand_dims(sizes, 1 - axis))


def _on(red: float, green: float, blue: float) -> str:
    """A background colour, with readable letters on it."""
    # The approximate relative luminance.
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    background = "".join(f"{round(255 * part):02x}" for part in (red, green, blue))
    return f"{'black' if light > 0.4 else 'white'} on #{background}"
