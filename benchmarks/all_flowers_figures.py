"""The figures of all_flowers.py."""

from collections.abc import Iterator, Sequence

import matplotlib
import numpy as np
import pandas
from evidence_figure import STYLES

matplotlib.use("svg")
from matplotlib import pyplot as plt

CHANCE = 0.05
PAGE = 7.0
TESTED = "excess-modularity"
THESIS = "stable-phase[beyond_noise=false]"
DISTRIBUTIONS = {
    "clusters": "clusters of two patches or more",
    "threshold": "threshold: the smallest weight of an edge",
    "plateau": "levels in the phase",
    "modularity": "modularity on the pruned graph",
}
MOST_CLUSTERS = 15
SETTINGS = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
}


def figures(
    images: pandas.DataFrame, shares: pandas.DataFrame, chosen: pandas.DataFrame
) -> Iterator[tuple[str, plt.Figure]]:
    """Yield the figures by name."""
    tested = shares[shares["selector"] == TESTED]
    splits = list(dict.fromkeys(tested["split"]))
    with plt.rc_context(SETTINGS):
        everything = tested[tested["group"] == "all"]
        panels = {
            f"{name}: {_count(everything, name)} photos": everything[everything["split"] == name]
            for name in splits
        }
        yield "significant", _panels(panels, columns=len(splits))
        of_test = tested[(tested["split"] == splits[0]) & (tested["group"] != "all")]
        panels = {
            f"{name}: {each['p05_of'].max()}": each
            for name, each in of_test.groupby("group", sort=False)
        }
        yield "significant-by-group", _panels(panels, columns=4)
        yield "chosen", _distributions(images[(images["selector"] == THESIS)], splits[0])
        of_test = chosen[(chosen["split"] == splits[0]) & (chosen["figure"] == "modularity")]
        yield "modularity-by-group", _means(of_test)


def _count(table: pandas.DataFrame, split: str) -> int:
    return int(table.loc[table["split"] == split, "p05_of"].max())


def _panels(tables: dict[str, pandas.DataFrame], columns: int) -> plt.Figure:
    """One panel a table: controls down, shares with intervals across, a sign for each method."""
    rows = -(-len(tables) // columns)
    figure, axes = plt.subplots(
        rows,
        columns,
        squeeze=False,
        figsize=(PAGE, 0.6 + 1.5 * rows),
        sharex=True,
        sharey=True,
        layout="constrained",
    )
    controls = list(dict.fromkeys(next(iter(tables.values()))["control"]))
    methods = list(
        dict.fromkeys(method for table in tables.values() for method in table["clusterer"])
    )
    for panel, (title, table) in zip(axes.flat, tables.items(), strict=False):
        panel.axvline(CHANCE, color="#999999", linewidth=0.8, linestyle=":")
        for index, (method, (colour, sign)) in enumerate(zip(methods, STYLES, strict=False)):
            of_it = table[table["clusterer"] == method].set_index("control").reindex(controls)
            places = np.arange(len(controls)) + 0.22 * (index - (len(methods) - 1) / 2)
            reach = of_it["p05"] - of_it["p05_low"], of_it["p05_high"] - of_it["p05"]
            panel.errorbar(
                of_it["p05"],
                places,
                xerr=np.abs(reach),
                fmt=sign,
                color=colour,
                markersize=4,
                linewidth=1,
                label=method,
                clip_on=False,
            )
            panel.plot(
                of_it["q05"],
                places,
                sign,
                color=colour,
                markersize=4,
                fillstyle="none",
                clip_on=False,
            )
        panel.set_yticks(range(len(controls)), controls)
        panel.set_ylim(len(controls) - 0.5, -0.5)
        panel.set_xlim(-0.03, 1.03)
        panel.set_xticks([0, 0.5, 1], ["0", ".5", "1"])
        panel.set_title(title, loc="left")
        panel.tick_params(axis="y", length=0)
    for panel in axes.flat[len(tables) :]:
        panel.set_axis_off()
    figure.supxlabel(
        "share of photos: filled, p ≤ .05 (dotted: what chance gives); hollow, q ≤ .05", fontsize=8
    )
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=len(methods))
    return figure


def _distributions(images: pandas.DataFrame, split: str) -> plt.Figure:
    """What the thesis' rule accepted on a split: a panel a figure, a line a method."""
    images = images[images["split"] == split]
    methods: Sequence[str] = list(dict.fromkeys(images["clusterer"]))
    images = images[images["accepted"]]
    figure, axes = plt.subplots(2, 2, figsize=(PAGE, 4.2), layout="constrained")
    for panel, (name, title) in zip(axes.flat, DISTRIBUTIONS.items(), strict=True):
        bins = _bins(name, images[name])
        for method, (colour, _) in zip(methods, STYLES, strict=False):
            values = images.loc[images["clusterer"] == method, name].dropna()
            counts, edges = np.histogram(np.clip(values, bins[0], bins[-1]), bins)
            panel.stairs(
                counts / len(values),
                edges,
                color=colour,
                label=f"{method}: {len(values)}",
                linewidth=1.2,
            )
        if name == "clusters":
            panel.set_xticks([1, 5, 10, MOST_CLUSTERS], ["1", "5", "10", f"≥ {MOST_CLUSTERS}"])
        panel.set_xlabel(title)
        panel.set_ylabel("share of these photos")
    axes.flat[0].legend(title="photos with a phase")
    return figure


def _means(chosen: pandas.DataFrame) -> plt.Figure:
    """A panel a selector: groups of photos down, the mean modularity across."""
    selectors = list(dict.fromkeys(chosen["selector"]))
    groups = list(dict.fromkeys(chosen["group"]))
    methods = list(dict.fromkeys(chosen["clusterer"]))
    figure, axes = plt.subplots(
        1, len(selectors), squeeze=False, figsize=(PAGE, 2.8), sharey=True, layout="constrained"
    )
    for panel, selector in zip(axes.flat, selectors, strict=True):
        for index, (method, (colour, sign)) in enumerate(zip(methods, STYLES, strict=False)):
            of_it = chosen[(chosen["selector"] == selector) & (chosen["clusterer"] == method)]
            of_it = of_it.set_index("group").reindex(groups)
            places = np.arange(len(groups)) + 0.22 * (index - (len(methods) - 1) / 2)
            reach = [of_it["mean"] - of_it["low"], of_it["high"] - of_it["mean"]]
            panel.errorbar(
                of_it["mean"],
                places,
                xerr=reach,
                fmt=sign,
                color=colour,
                markersize=4,
                linewidth=1,
                label=method,
            )
        panel.set_yticks(range(len(groups)), groups)
        panel.set_ylim(len(groups) - 0.5, -0.5)
        panel.set_xlim(left=-0.01)
        panel.set_title(selector, loc="left")
        panel.set_xlabel("mean modularity, 0 where no level is accepted")
        panel.tick_params(axis="y", length=0)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=len(methods))
    return figure


def _bins(name: str, values: pandas.Series) -> np.ndarray:
    if name in ("clusters", "plateau"):
        most = MOST_CLUSTERS if name == "clusters" else int(values.max())
        return np.arange(values.min(), most + 2) - 0.5
    return np.linspace(0, float(values.quantile(0.99)), 31)
