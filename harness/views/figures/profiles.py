"""Modularity and number of clusters over the levels, with the control in the same axes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from harness.analysis.image import Noise, SelectorReport
from harness.plugin.values import Floats, Integers
from harness.views.colours import CHOSEN, NOISE, colour
from harness.views.figures.style import (
    COLUMN,
    PAGE,
    balanced,
    inches_of,
    legend_below,
    new_figure,
    style,
    wrapped,
)

# Least inches of a method's panels, and the heights of both.
LEAST, HEIGHTS = 1.65, (1.25, 0.95)


@dataclass(frozen=True, eq=False)
class Curve:
    """One method's profile on one map, values at every level (levels,), and what was selected."""

    name: str
    levels: Floats
    modularity: Floats
    n_clusters: Integers
    noise: Noise | None = None
    selection: SelectorReport | None = None


@style()
def profile_figure(
    curves: Sequence[Curve],
    *,
    title: str,
    axis: str = "level (fraction of edges dropped)",
    width: float = PAGE,
) -> Figure:
    """Two panels a method: modularity, and below it clusters of two patches or more.

    All methods have the same axes; they stand in several rows if there are many.
    """
    rows, columns = balanced(len(curves), int(width / LEAST))
    side = min(width / columns, COLUMN)
    names = [wrapped(curve.name, side) for curve in curves]
    label = wrapped(axis, side)
    height = sum(HEIGHTS) + max(map(inches_of, names)) + inches_of(" ")
    figure, panels = new_figure(
        2 * rows, columns, columns * side, rows * height + inches_of(label), title,
        sharex=True, height_ratios=HEIGHTS * rows,
    )  # fmt: skip
    pairs = [pair for row in range(rows) for pair in panels[2 * row : 2 * row + 2].T]
    for panel in (each for pair in pairs[len(curves) :] for each in pair):
        panel.set_axis_off()
    drawn = pairs[: len(curves)]
    for curve, name, (above, below) in zip(curves, names, drawn, strict=True):
        _draw_profile(above, below, curve)
        above.set_title(name)
    for place, (_, below) in enumerate(drawn):
        if place + columns >= len(curves):
            below.set_xlabel(label)
            # Those below may be empty.
            below.tick_params(labelbottom=True)
    drawn[0][1].locator_params(axis="x", nbins=4)
    _share_axis([above for above, _ in drawn], columns, "modularity Q")
    _share_axis([below for _, below in drawn], columns, "clusters", 0)
    legend_below(figure, [above for above, _ in drawn])
    return figure


def _share_axis(
    panels: Sequence[Axes], columns: int, label: str, least: float | None = None
) -> None:
    """Give all panels one scale, with numbers and a label at the first of each row."""
    lowest, highest = np.array([panel.get_ylim() for panel in panels]).T
    for place, panel in enumerate(panels):
        panel.set_ylim(lowest.min() if least is None else least, highest.max())
        panel.yaxis.set_major_locator(MaxNLocator(4, integer=least is not None))
        panel.tick_params(labelleft=place % columns == 0)
        panel.set_ylabel("" if place % columns else label)


def _draw_profile(above: Axes, below: Axes, curve: Curve) -> None:
    noise = curve.noise
    _draw(above, curve, curve.modularity, None if noise is None else noise.modularity)
    if noise is not None and (noise.lowest < noise.highest).any():
        above.fill_between(
            curve.levels, noise.lowest, noise.highest,
            color=NOISE, alpha=0.25, linewidth=0, label="range over its draws",
        )  # fmt: skip
    _draw(below, curve, curve.n_clusters, None if noise is None else noise.n_clusters)


def _draw(panel: Axes, curve: Curve, values: Floats | Integers, control: Floats | None) -> None:
    selection = curve.selection
    if selection is not None and selection.plateau is not None:
        first, last = (curve.levels[at] for at in selection.plateau)
        panel.axvspan(first, last, color=CHOSEN, alpha=0.13, linewidth=0, label="stable phase")
    panel.plot(
        curve.levels, values, marker="o", markersize=2, linewidth=1,
        color=colour(0), label="image",
    )  # fmt: skip
    if control is not None:
        panel.plot(
            curve.levels, control, marker="x", markersize=2.5, linewidth=0.8,
            color=NOISE, label="control, mean",
        )  # fmt: skip
    if selection is not None and selection.candidate is not None:
        panel.axvline(
            curve.levels[selection.candidate], color=CHOSEN, linewidth=1.2,
            linestyle="-" if selection.accepted else ":",
            label="level selected" if selection.accepted else "candidate, not accepted",
        )  # fmt: skip
