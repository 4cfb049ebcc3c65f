"""What the engine costs beside the algorithms: time, memory, and what more workers save.

    OMP_NUM_THREADS=1 python benchmarks/engine_speed.py [SECTION …] [--images N] [--json]

Sections: default (the run that `harness run` makes, or, with --images, a part of it: with one
worker, with two and on two of Dask's), tiny (a cell and a level of maps of 12 nodes, by a
clusterer that takes no time), memory (the coordinator's peak with more and more cells), many
(100,000 cells, and the leaderboard over them). All by the command, in processes of their own.
Where others use the machine, wall times say little; seconds of processor time stand beside them.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from one_thread import require_one_thread
from rich.console import Console
from rich.table import Table

from harness.engine.isolation import peak_memory
from harness.store import open_for_reading

# What the default run has.
IMAGES, NULLS = 20, 39
NODES = 12
HALVES = Path(__file__).with_name("halves.py")
COMMAND = (sys.executable, "-m", "harness")
# Seconds between looks at a running command's peak memory.
LOOK = 0.02


@dataclass(frozen=True)
class Figure:
    """A measured value, and what it should be."""

    name: str
    value: float
    unit: str = ""
    goal: str = ""


@dataclass(frozen=True)
class Measured:
    """One command: seconds by the clock and by the processors, peak memory of its own process."""

    wall: float
    processor: float
    peak: int


@dataclass(frozen=True)
class Run:
    """A measured run: seconds of clusterers alone, and of cells as their workers see them."""

    command: Measured
    clusterers: float
    cells: float


def measured(*arguments: str) -> Measured:
    """Run the command to its end. Ends this program where it does not end well."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    peak = 0
    while True:
        peak = peak_memory(process.pid) or peak
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        time.sleep(LOOK)
    process.returncode = os.waitstatus_to_exitcode(status)
    _, said = process.communicate()
    if process.returncode:
        sys.exit(f"{' '.join(arguments)}: {said}")
    return Measured(time.perf_counter() - started, usage.ru_utime + usage.ru_stime, peak)


def run(folder: Path, *arguments: str) -> Run:
    """A run in a folder, and what its store says it took."""
    command = measured("run", "--out", str(folder), "--cache", "none", *arguments)
    with open_for_reading(folder) as store:
        (clusterers,) = store.connection.execute("SELECT sum(seconds) FROM points").fetchone()
        (cells,) = store.connection.execute("SELECT sum(seconds) FROM cells").fetchone()
    return Run(command, clusterers, cells)


def default_run(folder: Path, images: int = IMAGES) -> Iterator[Figure]:
    """The default run: overhead, two workers beside one, Dask's beside the harness' own."""
    nulls = -(-NULLS * images // IMAGES)
    part = ("--images", f"flowers-sample[count={images}]", "--nulls", str(nulls))
    one = run(folder / "one", *part, "-j", "1")
    two = run(folder / "two", *part, "-j", "2")
    dask = run(folder / "dask", *part, "--dask", "local", "-j", "2")
    for name, made in ("-j 1", one), ("-j 2", two), ("--dask local -j 2", dask):
        yield Figure(f"{name}: wall", made.command.wall, "s")
        yield Figure(f"{name}: processors", made.command.processor, "s")
    for workers, made in enumerate((one, two), 1):
        outside = 1 - made.clusterers / (made.command.wall * workers)
        yield Figure(f"outside clusterers, -j {workers}", 100 * outside, "%", "≤ 10")
        within = 100 * (made.cells - made.clusterers) / (made.command.wall * workers)
        yield Figure("… of it building, scoring and sending, in cells", within, "%")
    yield Figure("-j 1 / -j 2: wall", one.command.wall / two.command.wall, "", "≥ 1.8")
    yield Figure("-j 1 / -j 2: processors", one.command.processor / two.command.processor)
    yield Figure("Dask / -j 2: wall", dask.command.wall / two.command.wall, "", "≤ 1.1")
    yield Figure("Dask / -j 2: processors", dask.command.processor / two.command.processor)


def tiny_graphs(folder: Path) -> Iterator[Figure]:
    """What a cell and a level cost where the algorithm costs nothing."""
    cells, levels = 1000, 32
    maps = random_maps(folder, 10)

    def halves(name: str, repeats: int, levels: int) -> Measured:
        plain = ("--controls", "none", "--perturbations", "none", "-j", "1")
        more = ("--repeats", str(repeats), "--levels", str(levels))
        return run(folder / name, *by_halves(maps), *plain, *more).command

    start = halves("start", 1, 1)
    wide = halves("wide", 1 + cells // 10, 1)
    deep = halves("deep", 1 + cells // 10, levels)
    for unit, of in ("", "wall"), (" of a processor", "processor"):
        begun, one, all_of_them = (getattr(each, of) for each in (start, wide, deep))
        yield Figure(f"a cell{unit}", 1e3 * (one - begun) / cells, "ms", "≤ 3")
        more = (all_of_them - one) / (cells * (levels - 1))
        yield Figure(f"a level{unit}", 1e3 * more, "ms", "≤ 0.5")


def memory(folder: Path) -> Iterator[Figure]:
    """The coordinator's peak, each cell on a map of its own."""
    for count in 100, 1_000, 10_000:
        maps = random_maps(folder, count)
        plain = ("--controls", "none", "--perturbations", "none", "--levels", "1")
        made = run(folder / f"run-{count}", *by_halves(maps), *plain)
        goal = "" if count == 100 else "flat"
        yield Figure(f"coordinator's peak, {count:,} cells", made.command.peak / 2**20, "MiB", goal)


def many_cells(folder: Path) -> Iterator[Figure]:
    """100,000 cells with the leaderboard over them, and 10,000 of which half are nulls."""
    maps = random_maps(folder, 1_000)
    many = ("--controls", "none", "--perturbations", "none", "--levels", "1", "--repeats", "100")
    made = run(folder / "many", *by_halves(maps), *many)
    yield Figure("100,000 cells: wall", made.command.wall, "s")
    yield Figure("100,000 cells: coordinator's peak", made.command.peak / 2**20, "MiB")
    table = measured("leaderboard", str(folder / "many"))
    yield Figure("leaderboard over them: wall", table.wall, "s", "< 10")
    yield Figure("leaderboard over them: processors", table.processor, "s", "< 10")
    yield Figure("leaderboard over them: peak", table.peak / 2**20, "MiB")
    controlled = ("--controls", "permuted-rows", "--perturbations", "none", "--levels", "1")
    made = run(folder / "controlled", *by_halves(maps), *controlled, "--repeats", "5")
    yield Figure("10,000 cells, each map beside 199 nulls: wall", made.command.wall, "s")
    yield Figure("10,000 such cells: coordinator's peak", made.command.peak / 2**20, "MiB")


def by_halves(maps: Path) -> tuple[str, ...]:
    """What to say to the command to have these maps clustered by the clusterer beside this file."""
    spelled = f"arrays[path={json.dumps(str(maps), ensure_ascii=False)}]"
    chosen = ("--clusterers", "halves", "--selectors", "max-modularity")
    return ("--extractors", spelled, "--plugin", str(HALVES), *chosen)


def random_maps(folder: Path, count: int) -> Path:
    """A file of so many maps of 12 nodes."""
    path = folder / f"maps-{count}.npy"
    np.save(path, np.random.default_rng(count).random((count, NODES, NODES)))
    return path


Section = Callable[[Path], Iterator[Figure]]
SECTIONS: Mapping[str, Section] = {
    "default": default_run,
    "tiny": tiny_graphs,
    "memory": memory,
    "many": many_cells,
}


def main() -> None:
    """Measure what is asked for and print it."""
    parser = argparse.ArgumentParser(description="Measure what the engine costs.")
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--images", type=int, default=IMAGES, help="of the default run's 20")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.sections) - set(SECTIONS)):
        parser.error(f"no such section: {', '.join(unknown)}")
    require_one_thread()
    sections: dict[str, Section] = {
        **SECTIONS,
        "default": partial(default_run, images=arguments.images),
    }
    found = {}
    for section in arguments.sections or SECTIONS:
        folder = Path(tempfile.mkdtemp())
        try:
            found[section] = list(sections[section](folder))
        finally:
            shutil.rmtree(folder)
        if not arguments.json:
            show(section, found[section])
    if arguments.json:
        figures = {name: [asdict(one) for one in rows] for name, rows in found.items()}
        print(json.dumps(figures, indent=2, ensure_ascii=False))


def show(section: str, figures: list[Figure]) -> None:
    """Print one section's table."""
    table = Table("", "measured", "goal", title=section)
    for one in figures:
        table.add_row(one.name, f"{one.value:.3g} {one.unit}".strip(), one.goal)
    Console().print(table)


if __name__ == "__main__":
    main()
