"""Plots and pictures of block characters, readable with colour and without."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.cells import cell_len
from rich.text import Text

from harness.analysis.image import MethodReport, Noise, SelectorReport
from harness.errors import escape_controls
from harness.metrics.partition import by_size, numbered
from harness.plugin.profile import Profile
from harness.plugin.values import UNASSIGNED, Floats, Integers
from harness.views.colours import CHOSEN, COLOURS, NOISE, cluster_colours
from harness.views.fitting import MORE, shortened

EIGHTHS = " ▁▂▃▄▅▆▇█"
SHADES = " ░▒▓█"
IN_NONE = "·"
# Most clusters whose sizes are listed below a map.
MOST_SIZES = 6
# What is plotted, in how many lines, and the form of its largest value.
PLOTS = (("modularity", 5, ".2f"), ("n_clusters", 3, ".0f"))
# Columns of a plot, which are shared by the levels; between two plots; of the numbers next to one.
PLOT_WIDTH = 32
GAP = 3
AXIS_WIDTH = 6


def bars(values: Floats, top: float, rows: int) -> list[str]:
    """A bar of one character for each value in 0 … top, as `rows` lines from the top down.

    Undefined and negative values have no bar; any positive value is visible.
    """
    shares = np.clip(np.nan_to_num(values) / top if top > 0 else np.zeros(len(values)), 0, 1)
    eighths = np.where(shares > 0, np.maximum(np.rint(shares * rows * 8), 1), 0).astype(int)
    return [
        "".join(EIGHTHS[min(max(height - 8 * row, 0), 8)] for height in eighths)
        for row in reversed(range(rows))
    ]


def profile_plot(method: MethodReport, width: int) -> Text:
    """Modularity and number of clusters over the levels, and the control's on the same scale.

    The control stands beside the method, or below it in a console that is too narrow.
    """
    profile, noise = method.profile, method.noise
    levels, beside = profile.levels, (width - GAP) // 2 - AXIS_WIDTH
    is_beside = noise is not None and min(len(levels), PLOT_WIDTH) <= beside
    places = _places(len(levels), beside if is_beside else width - AXIS_WIDTH)
    plots = [_Plot(method.clusterer, "modularity, clusters below", profile, COLOURS[0])]
    if noise is not None:
        plots.append(_Plot("control", f"{noise.control}, mean of {noise.draws}", noise, NOISE))
    tops = [
        max(0.0, *(float(np.nanmax(plot.figures(name), initial=0.0)) for plot in plots))
        for name, _, _ in PLOTS
    ]
    drawn = [plot.lines(places, tops) for plot in plots]
    drawn[0] += [line for each in method.selections for line in _marks(levels, places, each)]
    for plot in drawn[1:]:
        plot += _marks(levels, places, None)
    wide = AXIS_WIDTH + len(places)
    if not is_beside:
        return Text("\n").join(line for plot in drawn for line in plot)
    pairs = itertools.zip_longest(*drawn, fillvalue=Text())
    return Text("\n").join(
        Text.assemble(first, " " * (wide + GAP - first.cell_len), second) for first, second in pairs
    )


def _places(levels: int, room: int) -> Integers:
    """The level at each column of a plot: a bar for each level, or for several if there are more.

    All bars of a plot are equally wide.
    """
    if levels > room:
        return np.arange(room) * levels // room
    return np.repeat(np.arange(levels), max(1, min(PLOT_WIDTH, room) // levels))


@dataclass(frozen=True)
class _Plot:
    """One profile to be drawn: modularity (levels,), n_clusters (levels,), and its colour.

    about: what else the title says if there is room.
    """

    name: str
    about: str
    profile: Profile | Noise
    colour: str

    def figures(self, name: str) -> Floats:
        return np.asarray(getattr(self.profile, name), dtype=np.float64)

    def lines(self, places: Integers, tops: Sequence[float]) -> list[Text]:
        wide = AXIS_WIDTH + len(places)
        title = escape_controls(f"{self.name}: {self.about}")
        if cell_len(title) > wide:
            title = shortened(escape_controls(self.name), wide)
        drawn = [Text(title, "bold")]
        for (name, rows, form), top in zip(PLOTS, tops, strict=True):
            for row, line in enumerate(bars(self.figures(name)[places], top, rows)):
                number = format(top, form) if not row else ("0" if row == rows - 1 else "")
                axis = f"{number:>{AXIS_WIDTH - 2}} ▏"
                drawn.append(Text.assemble((axis, "dim"), (line, self.colour)))
        return drawn


def _marks(levels: Floats, places: Integers, selection: SelectorReport | None) -> list[Text]:
    """The axis below a plot: the selected level, the stable phase, and the ends of the axis."""
    line, middle = np.full(len(places), "─"), ""
    if selection is not None:
        middle = escape_controls(selection.selector)
        if selection.plateau is not None:
            first, last = selection.plateau
            line[(places >= first) & (places <= last)] = "━"
        if selection.candidate is not None:
            # The middle of the level's bar; a bar may stand for several levels.
            bar = np.flatnonzero(places == places[places <= selection.candidate].max())
            line[bar[(len(bar) - 1) // 2]] = "▲" if selection.accepted else "△"
    ends = f"{levels[0]:.2f}", f"{levels[-1]:.2f}"
    room = max(len(line) - sum(map(len, ends)), 0)
    below = ends[0] + shortened(middle, max(room - 2, 1)).center(room) + ends[1]
    blank = " " * AXIS_WIDTH
    return [
        Text.assemble(blank, ("".join(line), CHOSEN)),
        Text.assemble(blank, (below, "dim")),
    ]


def cell_width(labels: Integers, grid: tuple[int, int], width: int) -> int:
    """Characters of a patch in a map of clusters that fits a width; 0 if none does."""
    digits = len(str(numbered(labels).max(initial=0)))
    return next((each for each in (digits + 1, digits) if each * grid[1] <= width), 0)


def cluster_map(labels: Integers, grid: tuple[int, int], width: int = 2, scale: int = 1) -> Text:
    """Every patch as the number of its cluster, on the cluster's colour.

    A patch takes `scale` lines of `scale` times its number in `width` characters.
    """
    styles = {
        number: _on(*colour) for number, colour in cluster_colours(numbered(labels), grid).items()
    }
    lines = [
        Text.assemble(*((f"{_mark(number):<{width}}" * scale, styles[number]) for number in row))
        for row in numbered(labels).reshape(grid).tolist()
    ]
    return Text("\n").join(line for line in lines for _ in range(scale))


def cluster_sizes(labels: Integers) -> str:
    """The largest clusters with their numbers of patches, and how many patches are in none."""
    numbers = numbered(labels)
    counts = {number: int((numbers == number).sum()) for number in by_size(numbers)}
    listed = [f"{number}: {count}" for number, count in counts.items()]
    unassigned = int((numbers == UNASSIGNED).sum())
    return "  ".join(
        [
            *listed[:MOST_SIZES],
            *([MORE] if len(listed) > MOST_SIZES else ()),
            *([f"{IN_NONE}: {unassigned}"] if unassigned else ()),
        ]
    )


def _mark(number: int) -> str:
    return IN_NONE if number == UNASSIGNED else str(number)


def shaded(brightness: Floats, columns: int, rows: int | None = None) -> Text:
    """A picture (height, width) of values in 0 … 1, in lines of at most `columns` characters.

    Each character shows the mean of the part of the picture that it covers. Without `rows`, the
    picture keeps its shape, and small ones are not enlarged.
    """
    height, width = brightness.shape
    if rows is None:
        columns = min(columns, 2 * width)
        rows = max(1, round(height / width * columns / 2))
    means = _means(_means(brightness, rows, 0), columns, 1)
    places = np.rint(means * (len(SHADES) - 1)).astype(int)
    return Text("\n".join("".join(SHADES[place] for place in row) for row in places))


def _means(values: Floats, count: int, axis: int) -> Floats:
    """The means of `count` bins of equal size along an axis."""
    edges = np.arange(count + 1) * values.shape[axis] // count
    # An enlarged picture repeats what it has.
    sizes = np.maximum(np.diff(edges), 1)
    sums = np.add.reduceat(values, edges[:-1], axis)
    return np.asarray(sums / np.expand_dims(sizes, 1 - axis))


def _on(red: float, green: float, blue: float) -> str:
    """A background colour, with readable letters on it."""
    # The approximate relative luminance.
    light = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    background = "".join(f"{round(255 * part):02x}" for part in (red, green, blue))
    return f"{'black' if light > 0.4 else 'white'} on #{background}"
