"""Figures of several things under one another, with their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.views.colours import NOISE, colour
from harness.views.figures.style import legend_below, new_figure, style, wrapped

WIDTH = 7.2
# Inches of a row, and characters of its name.
ROW, NAME = 0.36, 3.0
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
    intervals: Sequence[Interval], *, title: str, axis: str, zero: bool = False
) -> Figure:
    """A line for each row, the first on top; with `zero`, 0 is marked."""
    rows = list(dict.fromkeys(each.row for each in intervals))
    series = list(dict.fromkeys(each.series for each in intervals))
    figure, ((panel,),) = new_figure(1, 1, WIDTH, 1.5 + ROW * len(rows), title)
    for each in intervals:
        _draw(panel, rows.index(each.row), series.index(each.series), len(series), each)
    if zero:
        panel.axvline(0, color=NOISE, linewidth=0.8)
    panel.set_yticks(range(len(rows)), [wrapped(row, NAME) for row in rows])
    panel.set_ylim(len(rows) - 0.5, -0.5)
    panel.set_xlabel(axis)
    if len(series) > 1:
        legend_below(figure, [panel], 4)
    return figure


def _draw(panel: Axes, row: int, place: int, count: int, interval: Interval) -> None:
    if interval.value is None:
        return
    height = row + (SPREAD * (place / (count - 1) - 0.5) if count > 1 else 0.0)
    if interval.low is not None and interval.high is not None:
        panel.plot([interval.low, interval.high], [height] * 2, color=colour(place), linewidth=2)
    panel.plot(
        interval.value, height, marker="o", markersize=5, color=colour(place),
        linestyle="none", label=interval.series,
    )  # fmt: skip
