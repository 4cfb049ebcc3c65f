"""Figures of several things under one another, with their intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.views.colours import NOISE, colour, marker
from harness.views.figures.style import (
    PAGE,
    balanced,
    inches_of,
    legend_below,
    new_figure,
    style,
    wrapped,
)

# Least inches of a row and of one of several panels.
ROW, LEAST = 0.26, 0.95
# The share of the width that names take, beside one panel and beside several.
NAMES, NAMES_BESIDE = 0.4, 0.25
# How far the first and the last series of a row lie apart, in rows.
SPREAD = 0.5


@dataclass(frozen=True)
class Interval:
    """A figure of a row, and its interval; None is what is unknown.

    series: what it is a figure of, by which all rows are coloured alike.
    """

    row: str
    series: str
    value: float | None
    low: float | None = None
    high: float | None = None


@style()
def interval_figure(
    intervals: Sequence[Interval], *, title: str, axis: str, zero: bool = False, width: float = PAGE
) -> Figure:
    """A line for each row, the first on top; with `zero`, 0 is marked."""
    rows = _Rows.of(intervals, NAMES * width)
    label = wrapped(axis, (1 - NAMES) * width)
    high = rows.inches + 0.3 + inches_of(label)
    figure, ((panel,),) = new_figure(1, 1, width, high, title)
    rows.draw(panel, intervals)
    if zero:
        panel.axvline(0, color=NOISE, linewidth=0.8)
    panel.set_xlabel(label)
    if len(rows.series) > 1:
        legend_below(figure, [panel])
    return figure


@style()
def interval_panels(
    panels: Mapping[str, Sequence[Interval]],
    *,
    title: str,
    axis: str,
    marked: Mapping[str, float],
    width: float = PAGE,
) -> Figure:
    """A panel for each name, with the same rows and axis; its value in `marked` has a line."""
    every = [each for intervals in panels.values() for each in intervals]
    names = NAMES_BESIDE * width
    rows = _Rows.of(every, names)
    down, columns = balanced(len(panels), int((width - names) / LEAST))
    high = rows.inches + 0.2 + inches_of(" ")
    figure, axes = new_figure(
        down, columns, width, down * high + 0.1 + inches_of(axis), title, sharex=True, sharey=True
    )
    for panel in axes.flat[len(panels) :]:
        panel.set_axis_off()
    for panel, (name, intervals) in zip(axes.flat, panels.items(), strict=False):
        rows.draw(panel, intervals)
        panel.axvline(marked[name], color=NOISE, linewidth=0.8)
        panel.set_title(name)
        panel.locator_params(axis="x", nbins=3)
    last = len(panels) - (down - 1) * columns
    axes[-1, (last - 1) // 2].set_xlabel(axis)
    legend_below(figure, list(axes.flat))
    return figure


@dataclass(frozen=True)
class _Rows:
    """The rows of some intervals with their names in lines, and the series that they have."""

    names: Mapping[str, str]
    series: Sequence[str]

    @classmethod
    def of(cls, intervals: Sequence[Interval], width: float) -> "_Rows":
        names = {each.row: wrapped(each.row, width) for each in intervals}
        return cls(names, list(dict.fromkeys(each.series for each in intervals)))

    @property
    def inches(self) -> float:
        """The height of all rows."""
        return max([ROW, *map(inches_of, self.names.values())]) * len(self.names)

    def draw(self, panel: Axes, intervals: Sequence[Interval]) -> None:
        """Draw intervals that are all of the same panel; those of a row are spread."""
        for row, name in enumerate(self.names):
            found = [each for each in intervals if each.row == name]
            for each, place in zip(found, np.linspace(-1, 1, len(found)), strict=True):
                height = row + SPREAD / 2 * place if len(found) > 1 else row
                _draw(panel, height, self.series.index(each.series), each)
        panel.set_yticks(range(len(self.names)), list(self.names.values()))
        panel.set_ylim(len(self.names) - 0.5, -0.5)


def _draw(panel: Axes, height: float, series: int, interval: Interval) -> None:
    if interval.value is None:
        return
    if interval.low is not None and interval.high is not None:
        panel.plot([interval.low, interval.high], [height] * 2, color=colour(series), linewidth=1.6)
    panel.plot(
        interval.value, height, marker=marker(series), markersize=4, color=colour(series),
        linestyle="none", label=interval.series,
    )  # fmt: skip
