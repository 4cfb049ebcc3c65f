"""Modularity and number of clusters over the levels, with the control in the same axes."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.analysis.image import Noise, SelectorReport
from harness.plugin.values import Floats, Integers
from harness.views.colours import CHOSEN, NOISE, colour
from harness.views.figures.style import legend_below, new_figure, style, wrapped

COLUMN = 3.4


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
    curves: Sequence[Curve], *, title: str, axis: str = "level (fraction of edges dropped)"
) -> Figure:
    """One column a method: modularity above, clusters of two patches or more below."""
    width = max(4.5, COLUMN * len(curves))
    figure, panels = new_figure(2, len(curves), width, 4.8, title, sharex="col", sharey="row")
    for curve, (above, below) in zip(curves, panels.T, strict=True):
        noise = curve.noise
        _draw(above, curve, curve.modularity, None if noise is None else noise.modularity)
        if noise is not None and (noise.lowest < noise.highest).any():
            above.fill_between(
                curve.levels, noise.lowest, noise.highest,
                color=NOISE, alpha=0.25, linewidth=0, label="range over its draws",
            )  # fmt: skip
        _draw(below, curve, curve.n_clusters, None if noise is None else noise.n_clusters)
        above.set_title(wrapped(curve.name, COLUMN))
        below.set_xlabel(axis)
        below.locator_params(axis="x", nbins=5)
    panels[0, 0].set_ylabel("modularity Q")
    panels[1, 0].set_ylabel("clusters")
    panels[1, 0].set_ylim(bottom=0)
    legend_below(figure, panels[0], 2 * len(curves))
    return figure


def _draw(panel: Axes, curve: Curve, values: Floats | Integers, control: Floats | None) -> None:
    selection = curve.selection
    if selection is not None and selection.plateau is not None:
        first, last = (curve.levels[at] for at in selection.plateau)
        panel.axvspan(first, last, color=CHOSEN, alpha=0.13, linewidth=0, label="stable phase")
    panel.plot(
        curve.levels, values, marker="o", markersize=3, linewidth=1.2,
        color=colour(0), label="image",
    )  # fmt: skip
    if control is not None:
        panel.plot(
            curve.levels, control, marker="x", markersize=3, linewidth=1,
            color=NOISE, label="control, mean",
        )  # fmt: skip
    if selection is not None and selection.candidate is not None:
        panel.axvline(
            curve.levels[selection.candidate], color=CHOSEN, linewidth=1.4,
            linestyle="-" if selection.accepted else ":",
            label="level selected" if selection.accepted else "candidate, not accepted",
        )  # fmt: skip
