"""Community detection beside methods that cluster the SDP's embedding: modularities, paired.

    python benchmarks/flowers_embedding.py RUN OUT

RUN is of flowers_embedding.toml. Writes OUT/embedding.csv, for each selector and two methods the
difference of their modularities on the same images and the number of images on which it is above
and below zero, with 95 % intervals over images; OUT/embedding.svg and .png, the modularities; and
OUT/embedding-provenance.json. Where a selector accepted no level, the modularity counts 0.
"""

import argparse
from pathlib import Path

import pandas
from evidence_figure import save_provenance
from matplotlib import pyplot as plt
from plots import save

import harness
from harness.metrics.inference import estimate

COMMUNITIES = ("louvain", "infomap")
NAMES = {
    "louvain": "Louvain",
    "infomap": "Infomap",
    "sdp": "HDBSCAN on the SDP's embedding",
    "sdp[clusterer=kmeans]": "k-means on it",
    "sdp[clusterer=dbscan]": "DBSCAN on it",
}
# Differences of sums in another order.
ROUNDING = 1e-9


def modularities(selections: pandas.DataFrame) -> pandas.DataFrame:
    """One row for each selector and image, a column for each method."""
    counted = selections["modularity"].where(selections["accepted"], 0)
    return selections.assign(modularity=counted).pivot(
        index=["selector", "image"], columns="clusterer", values="modularity"
    )


def differences(wide: pandas.DataFrame) -> pandas.DataFrame:
    """One row for each selector, method of community detection, and method on the embedding."""
    rows = []
    for selector, of_it in wide.groupby(level="selector", sort=False):
        for ours in COMMUNITIES:
            for theirs in wide.columns.difference(COMMUNITIES, sort=False):
                apart = (of_it[ours] - of_it[theirs]).to_numpy()
                found = estimate(apart)
                rows.append(
                    {
                        "selector": selector,
                        "method": ours,
                        "less": theirs,
                        "images": len(apart),
                        "method_mean": of_it[ours].mean(),
                        "less_mean": of_it[theirs].mean(),
                        "difference": found.mean,
                        "low": found.low,
                        "high": found.high,
                        "above": (apart > ROUNDING).sum(),
                        "below": (apart < -ROUNDING).sum(),
                    }
                )
    return pandas.DataFrame(rows)


def draw(wide: pandas.DataFrame) -> plt.Figure:
    """One panel a selector: the quartiles of each method's modularity over images."""
    selectors = list(dict.fromkeys(wide.index.get_level_values("selector")))
    figure, panels = plt.subplots(
        1, len(selectors), squeeze=False, figsize=(7, 2.4), sharex=True, sharey=True,
        layout="constrained",
    )  # fmt: skip
    methods = [name for name in NAMES if name in wide.columns]
    for panel, selector in zip(panels.flat, selectors, strict=True):
        panel.boxplot(
            [wide.loc[selector, name].to_numpy() for name in methods],
            tick_labels=[NAMES[name] for name in methods],
            orientation="horizontal", whis=(2.5, 97.5), showfliers=False,
            medianprops={"color": "black"},
        )  # fmt: skip
        panel.set_title(selector, loc="left", fontsize=8)
        panel.tick_params(labelsize=8)
        panel.spines[["top", "right"]].set_visible(False)
    panels.flat[0].invert_yaxis()
    figure.supxlabel("modularity; boxes are quartiles, whiskers 95 % of the photos", fontsize=8)
    return figure


def main() -> None:
    """Read the run and write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("run", "out"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    run = harness.open_run(arguments.run)
    wide = modularities(run.selections())
    table = differences(wide)
    table.to_csv(arguments.out / "embedding.csv", index=False, float_format="%.4g")
    save(draw(wide), arguments.out / "embedding")
    save_provenance(run, arguments.out / "embedding")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
