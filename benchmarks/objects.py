"""Do clusters of attention follow the objects of ECSSD's photos? Tables and figures.

    python benchmarks/objects.py OUT [--runs RUNS] [--ecssd ECSSD]

OUT has the tables of the runs, agreement-NAME.csv.gz, that `objects_agreement.py` writes. It gets
table.csv (means), differences.csv (paired), held-out.csv (the same on the photos outside of
modulo-0, from which no method was chosen), ranking.csv (rank correlations of modularity with
agreement), and figures of them, as SVG and PNG. With --runs, the folder of the runs, also
provenance.json, and gallery.json, the clusters of some photos of ECSSD, from which the gallery is
drawn; without, the gallery is drawn again.
"""

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas
from evidence_figure import provenance
from objects_agreement import BASELINES, FIGURES, METHOD
from objects_figures import draw_agreement, draw_differences, draw_gallery, draw_ranking
from objects_gallery import gallery
from plots import save
from scipy.stats import spearmanr

import harness
from harness.metrics.inference import estimate

SCORES = ("modularity", "effect")
COMPARED = ["ari", "best_iou", "union_iou"]
TOKENCUT = ("tokens", "threshold[self_loops=true]", "ncut[clusters=2,split=mean,threshold=0.2]")
ATTENTION = ("attention", "attention of each head")
NAMES = {
    "spatial_blocks": "spatial blocks",
    "pixel_kmeans": "pixel k-means",
    "chance": "chance",
}
DEAREST = "sdp-modularity"
FEWEST_METHODS = 4
ROUNDING = 1e-9
# Folders of photos, by the remainder of a photo's number (objects_photos.py).
FOLDERS = 5


def by_photo(table: pandas.DataFrame) -> dict[tuple[str, ...], pandas.DataFrame]:
    """The figures of each method, a row for each photo: the mean over its heads."""
    numbers = table.columns.difference(["shuffled", "photo", "head", *METHOD])
    return {
        key: of_it.groupby("photo")[list(numbers)].mean()
        for key, of_it in table.groupby(METHOD, sort=False)
    }


def means(table: pandas.DataFrame) -> pandas.DataFrame:
    """One row for each method, on photos and on shuffled ones: means, with 95 % intervals."""
    return pandas.DataFrame(
        {"shuffled": shuffled} | dict(zip(METHOD, key, strict=True)) | _means(photos)
        for shuffled, of_it in table.groupby("shuffled")
        for key, photos in by_photo(of_it).items()
    )


def _means(photos: pandas.DataFrame) -> dict[str, Any]:
    row: dict[str, Any] = {"photos": len(photos)}
    row |= {name: photos[name].mean() for name in ("accepted", "level", "k")}
    row |= {name: photos[name].mean() for name in ("modularity", "effect")}
    for name in FIGURES:
        row |= _interval(name, photos[name])
    for of in BASELINES:
        row |= {f"{of}_{name}": photos[f"{of}_{name}"].mean() for name in FIGURES}
    return row


def _interval(name: str, values: pandas.Series) -> dict[str, float | None]:
    values = values.dropna()
    if values.empty:
        return {}
    found = estimate(values.to_numpy())
    return {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}


def differences(table: pandas.DataFrame) -> pandas.DataFrame:
    """Each method's figures less a rival's, paired by photo: intervals, signed-rank p, and counts.

    The counts are of the photos on which the method is better and worse.
    """
    methods = by_photo(table[~table.shuffled])
    shuffled = by_photo(table[table.shuffled])
    rows = []
    for key, own in methods.items():
        for rival, others in _rivals(key, own, methods, shuffled):
            both = (own[COMPARED] - others[COMPARED]).dropna()
            if both.empty:
                continue
            row = dict(zip(METHOD, key, strict=True)) | {"less": rival, "photos": len(both)}
            for name in COMPARED:
                row |= _interval(name, both[name])
                row[f"{name}_p"] = estimate(both[name].to_numpy()).p
                # Sums of floats differ by rounding.
                row[f"{name}_better"] = (both[name] > ROUNDING).sum()
                row[f"{name}_worse"] = (both[name] < -ROUNDING).sum()
            rows.append(row)
    return pandas.DataFrame(rows)


def _rivals(
    key: tuple[str, ...],
    own: pandas.DataFrame,
    methods: Mapping[tuple[str, ...], pandas.DataFrame],
    shuffled: Mapping[tuple[str, ...], pandas.DataFrame],
) -> Iterator[tuple[str, pandas.DataFrame]]:
    """What a method is compared with: baselines, TokenCut's rule, other maps, shuffled photos."""
    for of in BASELINES:
        named = {f"{of}_{name}": name for name in COMPARED}
        yield NAMES[of], own[list(named)].rename(columns=named)
    maps, *method = key
    for other, figures in methods.items():
        if other[:3] == TOKENCUT != key[:3]:
            yield "TokenCut's rule on tokens", figures
        if other[:2] == key[:2] and other[3] == key[3] and other[2] == "louvain" != key[2]:
            yield "Louvain", figures
        if maps in ATTENTION and list(other[1:]) == method and other[0] not in ATTENTION:
            yield f"the same on {other[0]}", figures
    if key in shuffled:
        yield "the same on shuffled patches", shuffled[key]


def ranking(table: pandas.DataFrame) -> pandas.DataFrame:
    """Spearman's correlation of modularity, and of effect, with agreement.

    Over methods: within each photo, over the methods on mean attention, with a selector or with
    all; the mean over photos. Over photos: within each method.
    """
    attention = of_all_methods(table)
    rows = []
    for score in SCORES:
        known = attention.dropna(subset=[score])
        for selector, of_it in [("all", known), *known.groupby("selector", sort=False)]:
            for name in COMPARED:
                found = _over_methods(of_it, score, name)
                if len(found):
                    row = {"over": "methods", "selector": selector, "photos": len(found)}
                    row |= {"score": score, "figure": name, **_interval("rho", found)}
                    rows.append(row)
        for (method, selector), of_it in known.groupby(["method", "selector"], sort=False):
            for name in COMPARED:
                if min(of_it[score].nunique(), of_it[name].nunique()) < 2:
                    continue
                rho, p = spearmanr(of_it[score], of_it[name])
                row = {"over": "photos", "method": method, "selector": selector}
                row |= {"photos": len(of_it), "score": score, "figure": name, "rho": rho, "p": p}
                rows.append(row)
    return pandas.DataFrame(rows)


def _over_methods(table: pandas.DataFrame, score: str, figure: str) -> pandas.Series:
    """Spearman's correlation over methods within each photo that has enough of them."""
    found = {
        photo: spearmanr(of_it[score], of_it[figure]).statistic
        for photo, of_it in table.groupby("photo")
        if len(of_it) >= FEWEST_METHODS and min(of_it[score].nunique(), of_it[figure].nunique()) > 1
    }
    return pandas.Series(found, dtype=float)


def read_tables(folder: Path) -> pandas.DataFrame:
    """The rows of all runs; of several the one that has most: an effect, then baselines."""
    files = sorted(folder.glob("agreement-*.csv.gz"))
    table = pandas.concat(pandas.read_csv(file, dtype={"photo": str}) for file in files)
    table = table.sort_values(["effect", "chance_best_iou"], key=pandas.isna, kind="stable")
    table = table.drop_duplicates(["shuffled", "photo", "head", *METHOD])
    return table.sort_values([*METHOD, "photo", "head"], kind="stable")


def of_all_methods(table: pandas.DataFrame) -> pandas.DataFrame:
    """The rows of mean attention on the photos that also the dear methods have, accepted ones."""
    rows = table[~table.shuffled & (table.maps == "attention") & (table.graph == "threshold")]
    rows = rows[rows.photo.isin(rows[rows.method == DEAREST].photo)]
    return rows[rows.accepted.astype(bool)]


def main() -> None:
    """Read the runs and write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--runs", type=Path)
    parser.add_argument("--ecssd", type=Path, default=Path("ecssd"))
    arguments = parser.parse_args()
    out = arguments.out
    table = read_tables(out)
    found = {"table": means(table), "differences": differences(table), "ranking": ranking(table)}
    found["held-out"] = differences(table[table.photo.astype(int) % FOLDERS != 0])
    for name, each in found.items():
        each.to_csv(out / f"{name}.csv", index=False, float_format="%.4g")
    if arguments.runs is not None:
        folders = sorted(each.parent for each in arguments.runs.glob("*/run.sqlite"))
        shown = gallery(folders, arguments.ecssd, table)
        (out / "gallery.json").write_text(json.dumps(shown) + "\n")
        of_runs = {each.name: provenance(harness.open_run(each)) for each in folders}
        (out / "provenance.json").write_text(json.dumps(of_runs, indent=1) + "\n")
    save(draw_agreement(found["table"]), out / "agreement")
    save(draw_differences(found["differences"]), out / "differences")
    attention = of_all_methods(table)
    by_score = {score: means(attention.dropna(subset=[score])) for score in SCORES}
    save(draw_ranking(by_score), out / "ranking")
    save(draw_gallery(json.loads((out / "gallery.json").read_text())), out / "gallery")


if __name__ == "__main__":
    main()
