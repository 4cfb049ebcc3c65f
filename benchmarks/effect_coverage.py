"""How often the interval of the effect covers 0 where there is nothing to be found.

    OMP_NUM_THREADS=1 python benchmarks/effect_coverage.py [--runs 200] [--maps 16] [--json]

Every run is `harness.run` on maps of pure noise, in this process: equal columns, so that rows that
are permuted are exchangeable with it. Each selector and clusterer has a row of the leaderboard,
whose interval should cover 0 in 95 % of the runs. The table shows how many do, and p of the
one-sided binomial test that fewer than 95 % do; it also shows what the mean excess would be without
the correction, and whether the mean effect is 0. Two cores take about ten minutes.
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
from scipy.stats import binomtest

import harness

NODES = 36
LEVELS = 8
DRAWS_PER_MAP = 3
CLUSTERERS = "louvain,infomap"
SELECTORS = (
    "excess-modularity,excess-modularity[by=excess],stable-phase,jaccard-plateau,max-modularity,"
    "fixed[level=0.84]"
)
COVERED = 0.95
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


@dataclass(frozen=True)
class Coverage:
    """One clusterer and selector over all runs.

    covering: runs whose interval covers 0; p: of the test that fewer than 95 % do; error: the
    standard error of the mean effect; width: the intervals' mean width.
    """

    clusterer: str
    selector: str
    runs: int
    covering: int
    p: float
    excess: float
    effect: float
    error: float
    width: float


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
        board = run.leaderboard(progress=False)
    figures = board[["excess", "effect", "effect_low", "effect_high"]].to_numpy()
    methods = zip(board["clusterer"], board["selector"], strict=True)
    return [
        NoiseRow(*method, seed, *row) for method, row in zip(methods, figures.tolist(), strict=True)
    ]


def coverages(rows: Sequence[NoiseRow]) -> list[Coverage]:
    """What all runs say of every clusterer and selector."""
    found = []
    for method in sorted({(row.clusterer, row.selector) for row in rows}):
        of_method = [row for row in rows if (row.clusterer, row.selector) == method]
        excess, effect, low, high = np.array(
            [(row.excess, row.effect, row.low, row.high) for row in of_method]
        ).T
        covering = int(np.sum((low <= ROUNDING) & (high >= -ROUNDING)))
        runs = len(of_method)
        found.append(
            Coverage(
                *method,
                runs,
                covering,
                float(binomtest(covering, runs, COVERED, "less").pvalue),
                float(excess.mean()),
                float(effect.mean()),
                float(effect.std(ddof=1) / np.sqrt(runs)) if runs > 1 else float("nan"),
                float((high - low).mean()),
            )
        )
    return found


def show(found: Sequence[Coverage], maps: int) -> None:
    """Print a table."""
    title = f"{maps} maps of noise a run, {NODES} nodes, {LEVELS} levels, {DRAWS_PER_MAP} draws"
    table = Table(title=title)
    for header in ("clusterer", "selector", "covers 0", "p", "excess", "effect", "±", "width"):
        table.add_column(header)
    for one in found:
        table.add_row(
            one.clusterer,
            # Square brackets are markup.
            one.selector.replace("[", r"\["),
            f"{one.covering}/{one.runs}",
            f"{one.p:.3f}",
            *(f"{figure:z.5f}" for figure in (one.excess, one.effect, one.error, one.width)),
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
