"""Modularity and clusters at every level, of a run's images and of each control.

    python benchmarks/level_means.py RUN OUT

Writes OUT/levels.csv: by method, level, and control ("" for the images themselves), over maps, the
mean modularity with its 95 % interval, its largest value, the mean number of clusters (of two
patches or more), and the share of graphs that are in pieces. Writes OUT/refinements.csv: on how
many images a method has a partition of k and one of k + 1 clusters, and the mean Jaccard index of
the first such two, matched by unions of clusters (1: the second only splits clusters of the first),
with the same of the second shuffled over the patches. Draws OUT/levels.svg and .png.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas
from matplotlib import pyplot as plt
from plots import PAGE, SETTINGS, STYLES, save

import harness
from harness.metrics.inference import bootstrap_interval
from harness.metrics.matching import match

KEYS = ["clusterer", "control", "level"]
CONNECTED = 1 - 1e-9
COUNTS = (2, 3, 4)
IMAGES = "photos"


def levels(points: pandas.DataFrame) -> pandas.DataFrame:
    """Return one row a method, control and level."""
    rows = []
    for keys, of_it in points.groupby(KEYS, sort=False):
        q = of_it["modularity"].to_numpy()
        row: dict[str, Any] = dict(zip(KEYS, keys, strict=True)) | {"maps": len(q)}
        row |= dict(zip(("low", "high"), bootstrap_interval(q), strict=True))
        row |= {"modularity": q.mean(), "largest": q.max(), "clusters": of_it["n_clusters"].mean()}
        row["in_pieces"] = (of_it["largest_component_fraction"] < CONNECTED).mean()
        rows.append(row)
    return pandas.DataFrame(rows)


def refinements(points: pandas.DataFrame) -> pandas.DataFrame:
    """Return one row a method and number of clusters k: how k + 1 clusters match k."""
    rows = []
    for method, of_method in points[points["control"] == ""].groupby("clusterer", sort=False):
        images = [profile for _, profile in of_method.groupby("image", sort=False)]
        for count in COUNTS:
            pairs = list(_pairs(images, count))
            row: dict[str, Any] = {"clusterer": method, "k": count, "images": len(pairs)}
            for name, scores in (
                ("jaccard", [_score(*pair) for pair in pairs]),
                ("shuffled", [_score(first, _mixed(second)) for first, second in pairs]),
            ):
                low, high = bootstrap_interval(np.array(scores))
                row |= {
                    name: np.mean(scores) if scores else np.nan,
                    f"{name}_low": low,
                    f"{name}_high": high,
                }
            rows.append(row)
    return pandas.DataFrame(rows)


def _pairs(
    images: list[pandas.DataFrame], count: int
) -> Iterator[tuple[harness.Integers, harness.Integers]]:
    """The labels of the first partitions of `count` and of one more cluster, where both exist."""
    for profile in images:
        fewer, more = (profile[profile["n_clusters"] == k] for k in (count, count + 1))
        if len(fewer) and len(more):
            yield fewer["labels"].iloc[0], more["labels"].iloc[0]


def _score(first: harness.Integers, second: harness.Integers) -> float:
    return match(first, second).score


def _mixed(labels: harness.Integers) -> harness.Integers:
    return np.random.default_rng(0).permutation(labels)


def draw(table: pandas.DataFrame) -> plt.Figure:
    """A panel a method: modularity and clusters over levels, a line for the images and controls."""
    methods = list(dict.fromkeys(table["clusterer"]))
    controls = list(dict.fromkeys(table["control"]))
    with plt.rc_context(SETTINGS):
        figure, axes = plt.subplots(
            2,
            len(methods),
            squeeze=False,
            figsize=(PAGE, 4.4),
            sharex=True,
            sharey="row",
            layout="constrained",
        )
        for column, method in zip(axes.T, methods, strict=True):
            for control, (colour, _) in zip(controls, (("#000000", "o"), *STYLES), strict=False):
                of_it = table[(table["clusterer"] == method) & (table["control"] == control)]
                name, width = control or IMAGES, 1.2 if control else 2
                column[0].plot(
                    of_it["level"], of_it["modularity"], color=colour, label=name, linewidth=width
                )
                column[1].plot(of_it["level"], of_it["clusters"], color=colour, linewidth=width)
            column[0].set_title(method, loc="left")
            column[1].set_xlabel("share of the pairs that is dropped")
        axes[0, 0].set_ylabel("mean modularity")
        axes[1, 0].set_ylabel("mean number of clusters")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=len(controls))
    return figure


def main() -> None:
    """Read the run and write the tables and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    points = harness.open_run(arguments.run).points()
    tables = {"levels": levels(points), "refinements": refinements(points)}
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(arguments.out / f"{name}.csv", index=False, float_format="%.4g")
    save(draw(tables["levels"]), arguments.out / "levels")
    print(tables["refinements"].to_string(index=False))


if __name__ == "__main__":
    main()
