"""Whether p values of selections are uniform on noise, for every selector, method and map null.

    OMP_NUM_THREADS=1 python benchmarks/calibration.py [--groups 15] [--out FOLDER] [--json FILE]
        [--figure FILE]

Each group is a run on 13 maps of noise (6×6 patches, 8 levels) whose tests share 39 draws of every
null, as tests of a run do. A null is *exchangeable* with a noise that has only effects that the
null keeps. Its tests must have p ≤ .05 on at most 5 % of the maps: the script ends with exit code
1 if a one-sided binomial test at .001 rejects that for any method and selector. (As tests share
draws, their number of false alarms varies by a third more than a binomial one: the check is a
little too strict.) Other pairs are shown on the first two groups, to tell how wrong they are.

Runs are kept in a folder: the same command resumes them, and only reads complete ones. It takes
17 minutes of one processor, shared by all that there are.
"""

import argparse
import io
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import matplotlib
import numpy as np
import pandas
from PIL import Image
from rich.progress import track
from scipy.stats import binomtest, kstest

import harness

matplotlib.use("agg")
from matplotlib import pyplot as plt

NODES, LEVELS = 36, 8
MAPS, NULLS = 13, 39
# Groups that have all nulls; the others have exchangeable ones only.
FULL = 2
CLUSTERERS = ("louvain", "infomap", "sdp")
SELECTORS = (
    "excess-modularity",
    "excess-modularity[by=z]",
    "excess-modularity[by=excess]",
    "stable-phase",
    "jaccard-plateau",
    "max-modularity",
    "fixed[level=0.5]",
)
RESIDUALS = "permuted-residuals[effects=[rows,columns]]"
LOCAL_RESIDUALS = "permuted-residuals[effects=[rows,columns,distance]]"
CONTROLS = (
    LOCAL_RESIDUALS,
    RESIDUALS,
    "permuted-rows",
    "preserved-strengths",
    "preserved-distances",
)
# What the logits of the noise have besides independent normal noise.
NOISES = {
    "nothing": "spread=0.0",
    "columns": "spread=0.5",
    "distance": "spread=0.0,locality=0.45",
    "columns, distance": "spread=0.5,locality=0.45",
}
# Permuted residuals keep these effects exactly; permuted rows are the noise's own symmetry if it
# has no effect. Preserved strengths are nearly exchangeable with noise without locality: they keep
# strengths rather than effects. Weights at one distance are not alike even on noise without
# columns, since rows of a softmax have sums: patches at the border share theirs among fewer near
# ones.
EXCHANGEABLE = {
    "nothing": (LOCAL_RESIDUALS, RESIDUALS, "permuted-rows"),
    "columns": (LOCAL_RESIDUALS, RESIDUALS),
    "distance": (LOCAL_RESIDUALS,),
    "columns, distance": (LOCAL_RESIDUALS,),
}
# The largest rate of false alarms, and the level of the test of it.
RATE, LEVEL = 0.05, 0.001
QUANTILES = np.linspace(0.0125, 0.9875, 40)
CASE = ["noise", "control", "clusterer", "selector"]
COLOURS = ("#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00", "#CC79A7", "#000000")


def tests(folder: Path, case: tuple[int, str]) -> pandas.DataFrame:
    """The tests of one group of maps with one noise; a complete run is only read."""
    group, noise = case
    controls = CONTROLS if group < FULL else EXCHANGEABLE[noise]
    parameters = f"n={NODES},signal=0.0,count={MAPS},seed={group + 1},{NOISES[noise]}"
    out = folder / f"{noise.replace(', ', '-')}-{group:02}"
    if out.exists() and not harness.open_run(out).unfinished():
        run = harness.open_run(out)
    else:
        run = harness.run(
            extractors=f"planted[{parameters}]",
            clusterers=CLUSTERERS,
            selectors=SELECTORS,
            controls=controls,
            perturbations="none",
            levels=LEVELS,
            nulls=NULLS,
            isolation="none",
            out=out,
            progress=False,
        )
    found = run.tests()
    # From (0, 1]: at 0 the smallest p would be 0.
    ties = 1 - np.random.default_rng(group).random(len(found))
    found["uniform"] = [
        harness.p_value(test.statistic, test.null_statistics, tie)
        for (_, test), tie in zip(found.iterrows(), ties, strict=True)
    ]
    return found.assign(noise=noise)[[*CASE, "image", "p", "uniform"]]


def measured(folder: Path, groups: int, workers: int) -> pandas.DataFrame:
    """The tests of all noises, groups, nulls, methods and selectors, one a row."""
    cases = [(group, noise) for group in range(groups) for noise in NOISES]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        found = pool.map(partial(tests, folder), cases)
        return pandas.concat(track(found, "measuring", len(cases)), ignore_index=True)


def calibrations(found: pandas.DataFrame) -> pandas.DataFrame:
    """One row a noise, null, method and selector.

    alarms: the share of p ≤ .05; excessive: whether that is more than .05 by the binomial test;
    distance: Kolmogorov and Smirnov's from uniform, with ties broken at random.
    """
    rows = []
    for case, of_case in found.groupby(CASE, sort=False):
        alarms = int((of_case["p"] <= RATE).sum())
        test = binomtest(alarms, len(of_case), RATE, alternative="greater")
        values = dict(zip(CASE, case, strict=True))
        rows.append(
            {
                **values,
                "exchangeable": values["control"] in EXCHANGEABLE[values["noise"]],
                "maps": len(of_case),
                "alarms": alarms / len(of_case),
                "excessive": test.pvalue < LEVEL,
                "distance": kstest(of_case["uniform"], "uniform").statistic,
            }
        )
    return pandas.DataFrame(rows)


def short(control: str) -> str:
    """A control with its effects in round brackets."""
    return control.replace("[effects=[", " (").replace("]]", ")").replace(",", ", ")


def table(found: pandas.DataFrame) -> str:
    """False alarms in Markdown: a row for each noise and null, the methods' shares in each cell."""
    lines = [["noise", "null", *(f"`{selector}`" for selector in SELECTORS)]]
    lines.append(["---"] * len(lines[0]))
    for noise in NOISES:
        for control in CONTROLS:
            of_both = found[(found["noise"] == noise) & (found["control"] == control)]
            mark = "**" if of_both["exchangeable"].any() else ""
            shares = of_both.set_index(["selector", "clusterer"])["alarms"]
            cells = [
                " ".join(f"{shares[selector, each]:.2f}".removeprefix("0") for each in CLUSTERERS)
                for selector in SELECTORS
            ]
            lines.append([noise, f"{mark}{short(control)}{mark}", *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def draw(found: pandas.DataFrame) -> plt.Figure:
    """Quantiles of p beside uniform ones: a panel a method and selector, a line a pair."""
    shape = len(CLUSTERERS), len(SELECTORS)
    figure, panels = plt.subplots(
        *shape, figsize=(11, 6), sharex=True, sharey=True, layout="constrained"
    )
    pairs = [(noise, control) for noise, kept in EXCHANGEABLE.items() for control in kept]
    lines = {pair: {"color": each} for pair, each in zip(pairs, COLOURS, strict=True)}
    for panel, (clusterer, selector) in zip(
        panels.flat, product(CLUSTERERS, SELECTORS), strict=True
    ):
        of_panel = found[(found["clusterer"] == clusterer) & (found["selector"] == selector)]
        for pair, of_pair in of_panel.groupby(CASE[:2], sort=False):
            p = np.quantile(of_pair["uniform"], QUANTILES)
            style = lines.get(pair, {"color": "#bbbbbb", "linewidth": 0.7, "zorder": 1})
            label = f"{pair[0]}: {short(pair[1])}" if pair in lines else "not exchangeable"
            panel.plot(QUANTILES, p, label=label, **style)
        panel.axline((0, 0), slope=1, color="black", linewidth=0.6, linestyle=":")
        panel.set(aspect="equal", xlim=(0, 1), ylim=(0, 1), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
        panel.spines[["top", "right"]].set_visible(False)
    for panel, selector in zip(panels[0], SELECTORS, strict=True):
        panel.set_title(selector.replace("[", "\n["), fontsize=8)
    for panel, clusterer in zip(panels[:, 0], CLUSTERERS, strict=True):
        panel.set_ylabel(f"{clusterer}\np")
    for panel in panels[-1]:
        panel.set_xlabel("uniform quantile")
    handles, labels = panels[0, 0].get_legend_handles_labels()
    by_label = dict(
        sorted(zip(labels, handles, strict=True), key=lambda each: each[0] == "not exchangeable")
    )
    figure.legend(
        by_label.values(), by_label, loc="outside lower center", ncols=2, fontsize=8, frameon=False
    )
    return figure


def save(figure: plt.Figure, file: Path) -> None:
    """Write a PNG of few colours, a quarter of the size of others."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=110)
    Image.open(drawn).convert("RGB").quantize(64).save(file, format="PNG", optimize=True)


def main() -> int:
    """Measure, print the table and write the files; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--groups", type=int, default=15)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--out", type=Path, default=Path("results/calibration"))
    parser.add_argument("--json", type=Path)
    parser.add_argument("--figure", type=Path)
    arguments = parser.parse_args()
    every = measured(arguments.out, arguments.groups, arguments.workers)
    found = calibrations(every)
    print(table(found))
    claimed = found[found["exchangeable"]]
    print(
        f"\nExchangeable pairs: {len(claimed)} cases, largest share of p ≤ .05 "
        f"{claimed['alarms'].max():.3f}, mean {claimed['alarms'].mean():.3f}; too many in "
        f"{claimed['excessive'].sum()}."
    )
    if arguments.json:
        found.to_json(arguments.json, orient="records", indent=1)
    if arguments.figure:
        save(draw(every), arguments.figure)
    return int(claimed["excessive"].any())


if __name__ == "__main__":
    sys.exit(main())
