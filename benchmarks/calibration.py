"""Whether p values of selections are uniform where there is nothing to be found.

    OMP_NUM_THREADS=1 python benchmarks/calibration.py [--maps 200] [--nulls 199] [--json]

Maps of pure noise, each with nulls of its own, all through the pipeline of a run: pruned at all
levels, clustered, selected. Ties are broken at random and nothing is abstained from, so that p
should be uniform where the null is exchangeable with the noise: rows of independent weights may
be permuted (spread 0). Where columns carry strength (spread 0.5) permuted rows are not what the
noise is, and preserved strengths are, nearly; both are shown. Maps are smaller than a run's, 36
nodes at 10 levels; all of it still takes a processor about two hours.
"""

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache, partial
from multiprocessing import get_context

import numpy as np
from rich.console import Console
from rich.table import Table
from scipy.stats import kstest

import harness
from harness.engine.cell import profile
from harness.engine.selection import selected
from harness.planning.identity import seed_of

NODES = 36
LEVELS = 10
CLUSTERER = "louvain"
SELECTORS = (
    "excess-modularity",
    "excess-modularity[by=excess]",
    "stable-phase",
    "jaccard-plateau",
    "max-modularity",
)
# Deviation of the columns' effects in the noise, and the null that its maps are compared with.
CASES = ((0.0, "permuted-rows"), (0.5, "permuted-rows"), (0.5, "preserved-strengths"))


@dataclass(frozen=True)
class Calibration:
    """The p values of one selector in one case: Kolmogorov and Smirnov's test, and their tails."""

    spread: float
    control: str
    selector: str
    maps: int
    nulls: int
    distance: float
    ks_p: float
    at_most_5_percent: float
    at_most_1_percent: float


# Plugins are looked for at every call.
made = cache(harness.make)


def profile_of(attention: harness.AttentionMap, *place: object) -> harness.Profile:
    """A map's profile, as a run makes it."""
    points = profile(
        attention,
        made("graph builder", "threshold"),
        made("clusterer", CLUSTERER),
        n_levels=LEVELS,
        seed=seed_of(place),
        resolution=1.0,
    )
    return harness.Profile(list(points))


def p_values(spread: float, control: str, maps: int, nulls: int, index: int) -> list[float]:
    """The p value of every selector on one map of noise."""
    noise = made("extractor", f"planted[n={NODES},signal=0.0,spread={spread},count={maps},seed=1]")
    attention = noise.load(noise.keys()[index])
    null = made("control", control)
    observed = profile_of(attention, index, 0)
    drawn = [
        profile_of(null.draw(attention, seed=seed_of(index, draw)), index, draw)
        for draw in range(1, nulls + 1)
    ]
    ties = np.random.default_rng(seed_of(spread, control, index))
    found = []
    for selector in SELECTORS:
        test = selected(made("selector", selector), observed, {control: drawn})["tests"]
        # From (0, 1]: at 0 the smallest of all would have p = 0.
        tie = 1 - ties.random()
        found.append(harness.p_value(test[control]["statistic"], test[control]["nulls"], tie))
    return found


def calibrations(maps: int, nulls: int) -> list[Calibration]:
    """All cases and selectors."""
    found = []
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as workers:
        for spread, control in CASES:
            work = partial(p_values, spread, control, maps, nulls)
            table = np.array(list(workers.map(work, range(maps))))
            for selector, column in zip(SELECTORS, table.T, strict=True):
                test = kstest(column, "uniform")
                found.append(
                    Calibration(
                        spread,
                        control,
                        selector,
                        maps,
                        nulls,
                        float(test.statistic),
                        float(test.pvalue),
                        float(np.mean(column <= 0.05)),
                        float(np.mean(column <= 0.01)),
                    )
                )
    return found


def show(found: Sequence[Calibration]) -> None:
    """Print a table."""
    table = Table(title=f"{CLUSTERER}, {NODES} nodes, {LEVELS} levels")
    for header in ("spread", "control", "selector", "KS distance", "KS p", "p ≤ .05", "p ≤ .01"):
        table.add_column(header)
    for one in found:
        table.add_row(
            f"{one.spread:g}",
            one.control,
            one.selector,
            f"{one.distance:.3f}",
            f"{one.ks_p:.3f}",
            f"{one.at_most_5_percent:.3f}",
            f"{one.at_most_1_percent:.3f}",
        )
    Console(width=120).print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--maps", type=int, default=200)
    parser.add_argument("--nulls", type=int, default=199)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = calibrations(arguments.maps, arguments.nulls)
    if arguments.json:
        print(json.dumps([asdict(one) for one in found], indent=2))
    else:
        show(found)


if __name__ == "__main__":
    main()
