"""How often the interval of the effect covers 0 where there is nothing to be found.

    OMP_NUM_THREADS=1 python benchmarks/effect_coverage.py [--runs 200] [--maps 16] [--json]

Every run is `harness.run` on maps of pure noise, in this process: equal columns, so that rows that
are permuted are exchangeable with it. Each selector and clusterer has a row of the leaderboard,
whose interval should cover 0 in 95 % of the runs. The table shows how many do, and p of the
one-sided binomial test that fewer than 95 % do; how many intervals by percentile bootstrap and by
BCa (Efron 1987) would; and the mean excess, which is not corrected, beside the mean effect with its
standard error. Two cores take about ten minutes.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import binomtest, bootstrap

import harness
from harness.analysis.method import grouped
from harness.analysis.outcomes import outcomes
from harness.metrics.inference import bootstrap_interval
from harness.store import open_for_reading

NODES = 36
LEVELS = 8
DRAWS_PER_MAP = 3
CLUSTERERS = "louvain,infomap"
SELECTORS = (
    "excess-modularity,excess-modularity[by=z],excess-modularity[by=excess],stable-phase,"
    "jaccard-plateau,max-modularity,fixed[level=0.84]"
)
COVERED = 0.95
HEADERS = ("clusterer", "selector", "covers 0", "p", "percentile", "BCa", "excess", "effect", "±")
# Rounding of a mean that is 0.
ROUNDING = 1e-12


@dataclass(frozen=True)
class NoiseRow:
    """A row of the leaderboard of one run on noise."""

    clusterer: str
    selector: str
    seed: int
    excess: float
    effect: float
    low: float
    high: float
    effects: tuple[float, ...]


@dataclass(frozen=True)
class Coverage:
    """One clusterer and selector over all runs.

    covering: runs whose interval covers 0; p: of the test that fewer than 95 % do; percentile, bca:
    runs whose bootstrap interval would; error: the standard error of the mean effect.
    """

    clusterer: str
    selector: str
    runs: int
    covering: int
    p: float
    percentile: int
    bca: int
    excess: float
    effect: float
    error: float


def noise_rows(maps: int, seed: int) -> list[NoiseRow]:
    """The leaderboard of a run on so many maps of noise."""
    with tempfile.TemporaryDirectory() as folder:
        run = harness.run(
            extractors=f"planted[n={NODES},signal=0.0,spread=0.0,count={maps},seed={seed}]",
            clusterers=CLUSTERERS,
            selectors=SELECTORS,
            controls="permuted-rows",
            perturbations="none",
            nulls=DRAWS_PER_MAP * maps,
            levels=LEVELS,
            isolation="none",
            out=Path(folder) / "noise",
            progress=False,
        )
        rows = run.leaderboard(progress=False)
        with open_for_reading(run.folder) as store:
            effects = grouped(outcomes(store), lambda one: one.method)
    return [
        NoiseRow(
            row.method.clusterer,
            row.method.selector,
            seed,
            *(number(each) for each in (row.excess, row.effect, row.effect_low, row.effect_high)),
            tuple(number(each.effect) for each in effects[row.method]),
        )
        for row in rows
    ]


def number(figure: float | None) -> float:
    """A figure as a number; NaN if there is none."""
    return float("nan") if figure is None else figure


def covers(low: float, high: float) -> bool:
    """Whether an interval contains 0."""
    return low <= ROUNDING and high >= -ROUNDING


def bca_interval(effects: Sequence[float]) -> tuple[float, float]:
    """The bias-corrected and accelerated bootstrap interval of the mean, as SciPy has it."""
    if np.ptp(effects) < ROUNDING:
        return effects[0], effects[0]
    found = bootstrap((effects,), np.mean, n_resamples=2000, method="BCa", rng=0)
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def coverages(rows: Sequence[NoiseRow]) -> list[Coverage]:
    """What all runs say of every clusterer and selector."""
    found = []
    for method in sorted({(row.clusterer, row.selector) for row in rows}):
        of_method = [row for row in rows if (row.clusterer, row.selector) == method]
        effect = np.array([row.effect for row in of_method])
        covering = sum(covers(row.low, row.high) for row in of_method)
        runs = len(of_method)
        found.append(
            Coverage(
                *method,
                runs,
                covering,
                float(binomtest(covering, runs, COVERED, "less").pvalue),
                sum(covers(*bootstrap_interval(np.array(row.effects))) for row in of_method),
                sum(covers(*bca_interval(row.effects)) for row in of_method),
                float(np.mean([row.excess for row in of_method])),
                float(effect.mean()),
                float(effect.std(ddof=1) / np.sqrt(runs)) if runs > 1 else float("nan"),
            )
        )
    return found


def show(found: Sequence[Coverage], maps: int) -> None:
    """Print a table."""
    title = f"{maps} maps of noise a run, {NODES} nodes, {LEVELS} levels, {DRAWS_PER_MAP} draws"
    table = Table(title=title)
    for header in HEADERS:
        table.add_column(header)
    for one in found:
        table.add_row(
            one.clusterer,
            # Square brackets are markup.
            one.selector.replace("[", r"\["),
            f"{one.covering}/{one.runs}",
            f"{one.p:.3f}",
            str(one.percentile),
            str(one.bca),
            *(f"{figure:z.5f}" for figure in (one.excess, one.effect, one.error)),
        )
    Console(width=120).print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--maps", type=int, default=16)
    parser.add_argument("--first", type=int, default=0, help="the first run's seed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    seeds = range(arguments.first, arguments.first + arguments.runs)
    with ProcessPoolExecutor(arguments.processes, mp_context=get_context("spawn")) as workers:
        rows = list(chain(*workers.map(partial(noise_rows, arguments.maps), seeds)))
    found = coverages(rows)
    if arguments.json:
        print(json.dumps({"rows": [*map(asdict, rows)], "coverage": [*map(asdict, found)]}))
    else:
        show(found, arguments.maps)


if __name__ == "__main__":
    main()
