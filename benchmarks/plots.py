"""What figures of several scripts share: signs and sizes, rows with intervals, files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas

matplotlib.use("svg")
from matplotlib import pyplot as plt

# Okabe and Ito's colours, told apart by the colour-blind too, and a sign for each.
STYLES = (("#0072B2", "o"), ("#E69F00", "s"), ("#009E73", "D"), ("#CC79A7", "^"), ("#56B4E9", "v"))
PAGE = 7.0
SETTINGS = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def name_rows(panel: plt.Axes, names: Sequence[str], **text: Any) -> None:
    """Name the rows of a panel, the first on top."""
    panel.set_yticks(range(len(names)), names, **text)
    panel.set_ylim(len(names) - 0.5, -0.5)
    panel.tick_params(axis="y", length=0)


def draw_intervals(
    panel: plt.Axes,
    names: Sequence[str],
    series: Mapping[str, pandas.DataFrame],
    *,
    clip: bool = True,
) -> None:
    """Draw a named row for each line of the series' tables, and a sign for each series in it.

    A table has the columns mean, low and high, and `hollow` if there are hollow signs too.
    """
    for index, ((label, table), (colour, sign)) in enumerate(
        zip(series.items(), STYLES, strict=False)
    ):
        places = np.arange(len(names)) + 0.22 * (index - (len(series) - 1) / 2)
        look = {"color": colour, "markersize": 4, "clip_on": clip}
        reach = np.abs([table["mean"] - table["low"], table["high"] - table["mean"]])
        panel.errorbar(
            table["mean"], places, xerr=reach, fmt=sign, linewidth=1, label=label, **look
        )
        if "hollow" in table:
            panel.plot(table["hollow"], places, sign, fillstyle="none", **look)
    name_rows(panel, names)


def save(figure: plt.Figure, path: Path) -> None:
    """Write a figure as PATH.svg and PATH.png, without the date."""
    for ending in ("svg", "png"):
        figure.savefig(
            path.with_suffix(f".{ending}"),
            dpi=150,
            metadata={"Date": None} if ending == "svg" else None,
        )
