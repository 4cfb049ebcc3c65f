"""How the heads of a model differ: effects, and the images that are more than each control shows.

    python benchmarks/flowers_heads.py RUN OUT

RUN is of flowers_heads.toml. Writes OUT/heads.csv, a row for each head, OUT/heads.svg and .png, and
OUT/heads-provenance.json. Intervals hold in 95 % of samples of images: Student's of effects,
Wilson's of shares. The false discovery rate is over all images and heads.
"""

import argparse
from pathlib import Path
from typing import Any

import pandas
from evidence_figure import save_provenance
from matplotlib import pyplot as plt
from plots import PAGE, SETTINGS, draw_intervals, save
from scipy.stats import binomtest

import harness

SIGNIFICANT = 0.05


def by_head(run: harness.Run) -> pandas.DataFrame:
    """One row a head: its effect, and of each control the share of images that are more than it."""
    tests = run.tests()
    rows = []
    for head in run.head_rows():
        row: dict[str, Any] = {"head": head.head, "images": head.ok, "modularity": head.modularity}
        row |= {"effect": head.effect, "low": head.effect_low, "high": head.effect_high}
        for control, of_it in tests[tests["head"] == head.head].groupby("control", sort=False):
            count, images = int((of_it["q"] <= SIGNIFICANT).sum()), int(of_it["q"].notna().sum())
            interval = binomtest(count, images).proportion_ci(method="wilson")
            row |= {f"{control} count": count, f"{control} mean": count / images}
            row |= {f"{control} low": interval.low, f"{control} high": interval.high}
        rows.append(row)
    return pandas.DataFrame(rows)


def draw(table: pandas.DataFrame) -> plt.Figure:
    """The effect of each head, and its shares of images that are more than each control."""
    names = [f"head {head}" for head in table["head"]]
    controls = [name.removesuffix(" count") for name in table if name.endswith(" count")]
    with plt.rc_context(SETTINGS):
        figure, (effects, shares) = plt.subplots(
            1, 2, figsize=(PAGE, 0.8 + 0.24 * len(names)), sharey=True, layout="constrained"
        )
        draw_intervals(effects, names, {"effect": table.assign(mean=table["effect"])})
        ends = ("mean", "low", "high")
        of_controls = {
            control: pandas.DataFrame({end: table[f"{control} {end}"] for end in ends})
            for control in controls
        }
        draw_intervals(shares, names, of_controls, clip=False)
        effects.set_xlabel("effect on modularity")
        shares.set_xlabel("share of photos that are more than the control")
        shares.set_xlim(0, 1)
        shares.legend(loc="center right")
        for panel in (effects, shares):
            panel.grid(axis="x", color="#dddddd")
    return figure


def main() -> None:
    """Read the run and write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("run", "out"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    run = harness.open_run(arguments.run)
    table = by_head(run)
    table.to_csv(arguments.out / "heads.csv", index=False, float_format="%.4g")
    save(draw(table), arguments.out / "heads")
    save_provenance(run, arguments.out / "heads")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
