"""The figures of `objects.py`: agreement by method, what modularity ranks, and a gallery."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas
from matplotlib import pyplot as plt
from plots import STYLES, name_rows

from harness.views.figures.clusters import coloured

GRID = (16, 16)
METHODS = {
    "louvain": "Louvain",
    "infomap": "Infomap",
    "sdp": "SDP",
    "sdp-modularity": "SDP of modularity",
    "ncut": "cuts",
    "ncut[clusters=2]": "two-way cut",
    "ncut[clusters=2,split=mean,threshold=0.2]": "TokenCut's rule",
    "kmeans": "k-means on rows",
}
COMPARED = {"ari": "ARI", "best_iou": "IoU, best cluster", "union_iou": "IoU, best union"}
BLUE = STYLES[0][0]
UNPRUNED, PRUNED = "fixed[level=0.0]", "fixed[level=0.8]"
BASELINES = {
    "chance": ("chance", "|", "#555555"),
    "spatial_blocks": ("spatial blocks", "x", "#E69F00"),
    "pixel_kmeans": ("pixel k-means", "+", "#009E73"),
}


def title(row: Mapping[str, Any]) -> str:
    """A method in words: its maps, what clusters them, and at which level if they are pruned."""
    graph = ", coupled" if "coupling" in row["graph"] else ""
    level = " at .8" if row["selector"] == PRUNED else ""
    return f"{row['maps']}{graph}: {METHODS[row['method']]}{level}"


def _panels(
    names: Sequence[str], size: tuple[float, float], prefix: str = ""
) -> tuple[plt.Figure, Mapping[str, plt.Axes]]:
    """A panel for each of three figures, with named rows but nothing drawn; size: in inches."""
    figure, axes = plt.subplots(1, len(COMPARED), figsize=size, sharey=True, layout="constrained")
    name_rows(axes[0], names, fontsize=7)
    for axis, heading in zip(axes, COMPARED.values(), strict=True):
        axis.set_title(f"{prefix}{heading}", loc="left", fontsize=9)
        axis.grid(axis="x", color="#dddddd")
        axis.spines[["top", "right", "left"]].set_visible(False)
    return figure, dict(zip(COMPARED, axes, strict=True))


def _draw_intervals(axis: plt.Axes, rows: pandas.DataFrame, name: str) -> None:
    places = np.arange(len(rows))
    axis.hlines(places, rows[f"{name}_low"], rows[f"{name}_high"], color=BLUE, lw=1.5)
    axis.plot(rows[name], places, "o", color=BLUE, ms=4, label="clusters, 95 % interval")


def draw_agreement(table: pandas.DataFrame) -> plt.Figure:
    """ARI, and the IoU of the best cluster and union, at two levels, beside the baselines."""
    rows = table[~table.shuffled & table.selector.isin([UNPRUNED, PRUNED])]
    rows = rows.sort_values("ari", ascending=False)
    names = [f"{title(row)} ({row['photos']})" for row in rows.to_dict("records")]
    figure, axes = _panels(names, (11, 1.6 + 0.2 * len(rows)))
    places = np.arange(len(rows))
    for name, axis in axes.items():
        for baseline, (label, sign, colour) in BASELINES.items():
            axis.plot(rows[f"{baseline}_{name}"], places, sign, color=colour, ms=5, label=label)
        _draw_intervals(axis, rows, name)
        shuffled = _shuffled(table, rows, name)
        axis.plot(shuffled, places, "d", color="#CC79A7", ms=4, label="on shuffled patches")
    handles, labels = axes["ari"].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=5, frameon=False, fontsize=8)
    return figure


def _shuffled(table: pandas.DataFrame, rows: pandas.DataFrame, name: str) -> pandas.Series:
    """The figure of each row's method on shuffled photos, NaN where it was not measured."""
    key = ["maps", "graph", "method", "selector"]
    found = table[table.shuffled].set_index(key)[name]
    return found.reindex(pandas.MultiIndex.from_frame(rows[key]))


def draw_differences(differences: pandas.DataFrame) -> plt.Figure:
    """What attention gains over each rival, with the same method, before any edge is dropped."""
    rows = differences[
        (differences.maps == "attention")
        & (differences.selector == UNPRUNED)
        & differences.method.isin(["louvain", "kmeans", "ncut[clusters=2]"])
    ]
    names = [f"{title(row)}, less {row['less']}" for row in rows.to_dict("records")]
    figure, axes = _panels(names, (10, 1.2 + 0.2 * len(rows)), "difference in ")
    for name, axis in axes.items():
        axis.axvline(0, color="#999999", lw=0.8)
        _draw_intervals(axis, rows, name)
    return figure


def draw_ranking(by_score: Mapping[str, pandas.DataFrame]) -> plt.Figure:
    """Mean agreement over mean modularity and effect, a sign for each method and selector."""
    size = (len(COMPARED), len(by_score))
    figure, axes = plt.subplots(*size, figsize=(8, 8), sharey="row", layout="constrained")
    for column, (score, rows) in zip(axes.T, by_score.items(), strict=True):
        for axis, name in zip(column, COMPARED, strict=True):
            for method, (colour, sign) in zip(dict.fromkeys(rows.method), STYLES, strict=False):
                of_it = rows[rows.method == method]
                axis.plot(of_it[score], of_it[name], sign, color=colour, label=METHODS[method])
            axis.grid(color="#dddddd")
            axis.spines[["top", "right"]].set_visible(False)
        column[-1].set_xlabel(f"mean {score}, {rows.photos.max()} photos")
    for axis, name in zip(axes[:, 0], COMPARED.values(), strict=True):
        axis.set_ylabel(name)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=5, frameon=False)
    return figure


def draw_gallery(shown: Sequence[Mapping[str, Any]]) -> plt.Figure:
    """A row for each photo: its mask on the patches, then each method's clusters with their ARI."""
    titles = list(shown[0]["clusters"])
    figure, axes = plt.subplots(
        len(shown),
        1 + len(titles),
        figsize=(1.5 * (1 + len(titles)), 1.65 * len(shown)),
        squeeze=False,
        layout="constrained",
    )
    for row, photo in zip(axes, shown, strict=True):
        row[0].imshow(np.reshape(photo["mask"], GRID), cmap="gray", vmin=0, vmax=1)
        row[0].set_ylabel(f"{photo['rank']}\n{photo['photo']}", fontsize=8)
        for axis, name in zip(row[1:], titles, strict=True):
            if name not in photo["clusters"]:
                continue
            colours = coloured(np.array(photo["clusters"][name]), GRID)
            axis.imshow(colours.reshape(*GRID, 3))
            if (ari := photo["ari"].get(name)) is not None:
                axis.set_xlabel(f"ARI {ari:.2f}", fontsize=7)
    for axis in axes.flat:
        axis.set_xticks([])
        axis.set_yticks([])
    for axis, name in zip(axes[0], ["mask", *titles], strict=True):
        axis.set_title(name.replace(", ", ",\n"), fontsize=8)
    return figure
