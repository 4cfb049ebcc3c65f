"""How figures change with a model's depth, one line a method."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.plugin.values import Floats
from harness.views.figures.style import NOISE, colour, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = "osD^v<>P"


@dataclass(frozen=True, eq=False)
class Band:
    """A figure at every layer, (layers,), with its interval; NaN where there is none."""

    values: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class DepthCurve:
    """One method by the numbers of its layers, (layers,); control is the noise's modularity."""

    name: str
    layers: Floats
    excess: Band
    modularity: Band
    control: Floats
    n_clusters: Band
    jaccard: Band


def depth_figure(curves: Sequence[DepthCurve], *, title: str) -> "Figure":
    """Excess, modularity with noise's in grey, clusters and stability, each over the layers."""
    from matplotlib.ticker import MaxNLocator

    with style():
        figure, panels = new_figure(2, 2, 8.4, 6.2, title, sharex=True)
        (excess, modularity), (clusters, stability) = panels
        for place, curve in enumerate(curves):
            _draw(excess, place, curve, curve.excess)
            _draw(modularity, place, curve, curve.modularity)
            modularity.plot(
                curve.layers, curve.control, color=NOISE, linestyle="--", linewidth=1,
                marker=MARKERS[place % len(MARKERS)], markersize=3, label=f"{curve.name}, noise",
            )  # fmt: skip
            _draw(clusters, place, curve, curve.n_clusters)
            _draw(stability, place, curve, curve.jaccard)
        for panel, label in (
            (excess, "excess modularity"),
            (modularity, "modularity Q"),
            (clusters, "clusters, where accepted"),
            (stability, "stability (Jaccard)"),
        ):
            panel.set_ylabel(label)
            panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        clusters.set_ylim(bottom=0)
        for panel in (clusters, stability):
            panel.set_xlabel("layer")
        excess.axhline(0, color=NOISE, linewidth=0.8)
        handles, names = modularity.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=4, fontsize=8)
        return figure


def _draw(panel: "Axes", place: int, curve: DepthCurve, band: Band) -> None:
    panel.plot(
        curve.layers, band.values, color=colour(place), linewidth=1.4,
        marker=MARKERS[place % len(MARKERS)], markersize=4, label=curve.name,
    )  # fmt: skip
    if not np.isnan(band.low).all():
        panel.fill_between(
            curve.layers, band.low, band.high, color=colour(place), alpha=0.18, linewidth=0
        )
