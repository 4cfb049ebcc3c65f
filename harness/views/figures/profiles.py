"""Modularity and number of clusters over the levels, with the control in the same axes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.plugin.values import Floats, Integers
from harness.views.figures.style import CHOSEN, NOISE, colour, new_figure, style, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMN = 3.4


@dataclass(frozen=True, eq=False)
class Curve:
    """One method's profile on one map: values at every level, (levels,).

    control_modularity, control_low, control_high and control_clusters are the mean and range over
    the control's draws, None without a control. `plateau` (first and last) and `chosen` are indices
    of levels; `accepted` says whether the selector accepted the level `chosen`.
    """

    name: str
    levels: Floats
    modularity: Floats
    n_clusters: Integers
    control_modularity: Floats | None = None
    control_low: Floats | None = None
    control_high: Floats | None = None
    control_clusters: Floats | None = None
    plateau: tuple[int, int] | None = None
    chosen: int | None = None
    accepted: bool = True

    @property
    def has_range(self) -> bool:
        """Whether the draws of the control differ."""
        if self.control_low is None or self.control_high is None:
            return False
        return bool((self.control_low < self.control_high).any())


def profile_figure(
    curves: Sequence[Curve], *, title: str, axis: str = "level (fraction of edges dropped)"
) -> "Figure":
    """One column a method: modularity above, clusters of two patches or more below."""
    with style():
        figure, panels = new_figure(
            2, len(curves), max(4.5, COLUMN * len(curves)), 4.8, title, sharex="col", sharey="row"
        )
        for curve, (above, below) in zip(curves, panels.T, strict=True):
            _draw(above, curve, curve.modularity, curve.control_modularity)
            if curve.has_range:
                above.fill_between(
                    curve.levels, curve.control_low, curve.control_high,
                    color=NOISE, alpha=0.25, linewidth=0, label="range over its draws",
                )  # fmt: skip
            _draw(below, curve, curve.n_clusters, curve.control_clusters)
            above.set_title(wrapped(curve.name, COLUMN))
            below.set_xlabel(axis)
        panels[0, 0].set_ylabel("modularity Q")
        panels[1, 0].set_ylabel("clusters")
        panels[1, 0].set_ylim(bottom=0)
        handles: dict[str, Any] = {}
        for panel in panels[0]:
            found, names = panel.get_legend_handles_labels()
            handles.update(zip(names, found, strict=True))
        figure.legend(
            handles.values(),
            handles.keys(),
            loc="outside lower center",
            ncols=2 * len(curves),
            fontsize=8,
        )
        return figure


def _draw(panel: "Axes", curve: Curve, values: Floats | Integers, control: Floats | None) -> None:
    if curve.plateau is not None:
        first, last = (curve.levels[at] for at in curve.plateau)
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
    if curve.chosen is not None:
        panel.axvline(
            curve.levels[curve.chosen], color=CHOSEN, linewidth=1.4,
            linestyle="-" if curve.accepted else ":",
            label="level selected" if curve.accepted else "candidate, not accepted",
        )  # fmt: skip
