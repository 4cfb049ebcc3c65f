"""Shares, means and differences over all photos of tf-flowers, from the tables of their images.

    python benchmarks/all_flowers.py OUT

Reads OUT/images-SPLIT.csv, which image_table.py writes. Writes OUT/shares.csv, how many images are
more than each control shows; OUT/chosen.csv, what was chosen on them; OUT/differences.csv, of two
methods on the same images, and of images that are predicted right and wrong; and the figures.
Intervals hold in 95 % of samples of images: Wilson's of shares, bootstrapped of means.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas
from all_flowers_figures import figures
from image_table import CHOSEN, OF_TEST
from plots import save
from scipy.stats import binomtest

from harness.metrics.inference import RESAMPLES, TAIL, bootstrap_interval, estimate

SPLITS = ("test", "validation", "train")
SIGNIFICANT = 0.05
KEYS = ["split", "clusterer", "selector"]
FIGURES = [name for name in CHOSEN if name != "accepted"]
COMPARED = (("louvain", "infomap"), ("infomap", "sdp"), ("louvain", "sdp"))


def read(folder: Path) -> pandas.DataFrame:
    """Return the images of all splits that are there, with `split` and `right`.

    Where a selector accepted no level, the modularity counts 0, as in the leaderboard, and the
    other figures of the level are missing.
    """
    files = {split: folder / f"images-{split}.csv" for split in SPLITS}
    tables = [
        pandas.read_csv(file).assign(split=name) for name, file in files.items() if file.exists()
    ]
    images = pandas.concat(tables, ignore_index=True)
    of_level = ["clusters", "level", "threshold", "plateau"]
    images[of_level] = images[of_level].where(images["accepted"])
    images["modularity"] = images["modularity"].where(images["accepted"], 0)
    return images.assign(right=images["class"] == images["predicted"])


def controls_of(images: pandas.DataFrame) -> list[str]:
    """Return the controls that the images were tested against, in the run's order."""
    return [name.removesuffix(" p") for name in images if name.endswith(" p")]


def groups(images: pandas.DataFrame) -> Iterator[tuple[str, pandas.DataFrame]]:
    """Yield all images, each class, and those that are predicted right and wrong."""
    yield "all", images
    yield from images.groupby("class")
    yield from (("right", images[images["right"]]), ("wrong", images[~images["right"]]))


def shares(images: pandas.DataFrame) -> pandas.DataFrame:
    """Return how many images are more than each control, by method and group.

    p ≤ .05 is expected of 5 % of images that are like the draws; q is over the images of the run.
    Of images with a draw of their own, `above` says how many have a larger statistic than it, of
    those that differ: half are expected of images that are like their draws.
    """
    rows = []
    for keys, of_method in images.groupby(KEYS, sort=False):
        for group, of_it in groups(of_method):
            for control in controls_of(images):
                p, q, statistic, own = (of_it[f"{control} {name}"] for name in OF_TEST)
                apart = own.notna() & ~np.isclose(statistic, own)
                row: dict[str, Any] = dict(zip(KEYS, keys, strict=True))
                row |= {"group": group, "control": control, "median_p": p.median()}
                row |= _share("p05", (p <= SIGNIFICANT).sum(), p.notna().sum())
                row |= _share("q05", (q <= SIGNIFICANT).sum(), q.notna().sum())
                row |= _share("above", (statistic > own)[apart].sum(), apart.sum())
                rows.append(row)
    return pandas.DataFrame(rows)


def _share(name: str, count: int, images: int) -> dict[str, float]:
    share = dict.fromkeys(("", "_low", "_high"), float("nan"))
    if images:
        low, high = binomtest(int(count), int(images)).proportion_ci(method="wilson")
        share = {"": count / images, "_low": low, "_high": high}
    return {f"{name}_of": images, f"{name}_count": count} | {
        name + end: value for end, value in share.items()
    }


def chosen(images: pandas.DataFrame) -> pandas.DataFrame:
    """Return the mean, its interval and the quartiles of what was chosen, by method and group."""
    rows = []
    for keys, of_method in images.groupby(KEYS, sort=False):
        for group, of_it in groups(of_method):
            for figure in FIGURES:
                values = of_it[figure].dropna().to_numpy(dtype=float)
                row: dict[str, Any] = dict(zip(KEYS, keys, strict=True))
                row |= {"group": group, "figure": figure, "images": len(values)}
                row["accepted"] = of_it["accepted"].mean()
                if len(values):
                    low, high = bootstrap_interval(values)
                    quartiles = np.percentile(values, [25, 50, 75])
                    row |= {"mean": values.mean(), "low": low, "high": high}
                    row |= dict(
                        zip(("quarter", "median", "three_quarters"), quartiles, strict=True)
                    )
                rows.append(row)
    return pandas.DataFrame(rows)


def differences(images: pandas.DataFrame) -> pandas.DataFrame:
    """Return differences of two methods on the same images, and of right and wrong predictions."""
    rows = []
    for (split, selector), of_it in images.groupby(["split", "selector"], sort=False):
        for figure in FIGURES:
            wide = of_it.pivot(index="image", columns="clusterer", values=figure)
            row = {"split": split, "selector": selector, "figure": figure}
            for first, second in COMPARED:
                paired = np.array([])
                if {first, second} <= set(wide):
                    paired = (wide[first] - wide[second]).dropna().to_numpy()
                if len(paired):
                    found = vars(estimate(paired)) | {"images": len(paired)}
                    rows.append(row | {"difference": f"{first} − {second}"} | found)
            for method, of_method in of_it.groupby("clusterer", sort=False):
                rows.append(
                    row | {"difference": f"right − wrong, {method}"} | _unpaired(of_method, figure)
                )
    return pandas.DataFrame(rows)


def _unpaired(images: pandas.DataFrame, figure: str) -> dict[str, float]:
    """The difference of the means of right and wrong predictions; each group is resampled."""
    groups = [images.loc[images["right"] == right, figure].dropna() for right in (True, False)]
    right, wrong = (each.to_numpy(dtype=float) for each in groups)
    random = np.random.default_rng(0)
    means = [
        [each[random.integers(len(each), size=len(each))].mean() for _ in range(RESAMPLES)]
        for each in (right, wrong)
    ]
    low, high = np.percentile(np.subtract(*means), [TAIL, 100 - TAIL])
    count = len(right) + len(wrong)
    return {"mean": right.mean() - wrong.mean(), "low": low, "high": high, "images": count}


def main() -> None:
    """Read the images and write the tables and figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    images = read(out)
    tables = {"shares": shares, "chosen": chosen, "differences": differences}
    made = {name: table(images) for name, table in tables.items()}
    for name, table in made.items():
        table.to_csv(out / f"{name}.csv", index=False, float_format="%.4g")
    for name, figure in figures(images, made["shares"], made["chosen"]):
        save(figure, out / name)
    everything = made["shares"].query("group == 'all'")
    shown = ["p05_of", "p05", "q05_count", "above_of", "above", "median_p"]
    print(everything[[*KEYS, "control", *shown]].to_string(index=False))


if __name__ == "__main__":
    main()
