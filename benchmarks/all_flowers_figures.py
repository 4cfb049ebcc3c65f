"""The figures of all_flowers.py."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas
from matplotlib import pyplot as plt
from plots import PAGE, SETTINGS, STYLES, draw_intervals

CHANCE = 0.05
TESTED = "excess-modularity"
THESIS = "stable-phase[beyond_noise=false]"
DISTRIBUTIONS = {
    "clusters": "clusters of two patches or more",
    "threshold": "threshold: the smallest weight of an edge",
    "plateau": "levels in the phase",
    "modularity": "modularity on the pruned graph",
}
MOST_CLUSTERS = 15
SHARES = {"p05": "mean", "p05_low": "low", "p05_high": "high", "q05": "hollow"}


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
        of_panel = table.set_index("control").rename(columns=SHARES)
        series = {
            method: of_panel[of_panel["clusterer"] == method].reindex(controls)
            for method in methods
        }
        draw_intervals(panel, controls, series, clip=False)
        panel.set_xlim(-0.03, 1.03)
        panel.set_xticks([0, 0.5, 1], ["0", ".5", "1"])
        panel.set_title(title, loc="left")
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
        of_selector = chosen[chosen["selector"] == selector].set_index("group")
        series = {
            method: of_selector[of_selector["clusterer"] == method].reindex(groups)
            for method in methods
        }
        draw_intervals(panel, groups, series)
        panel.set_xlim(left=-0.01)
        panel.set_title(selector, loc="left")
        panel.set_xlabel("mean modularity, 0 where no level is accepted")
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=len(methods))
    return figure


def _bins(name: str, values: pandas.Series) -> np.ndarray:
    if name in ("clusters", "plateau"):
        most = MOST_CLUSTERS if name == "clusters" else int(values.max())
        return np.arange(values.min(), most + 2) - 0.5
    return np.linspace(0, float(values.quantile(0.99)), 31)
