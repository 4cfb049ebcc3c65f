"""How the time of a run grows: with the nodes of a map, and with the number of images.

    OMP_NUM_THREADS=1 python benchmarks/scaling.py OUT [nodes] [images] [--largest N] [--redraw]

nodes: planted maps of 49 to 2,304 nodes at 32 levels, in this process: seconds of a processor that
each clusterer takes for a map, and that building and scoring its graphs take. images: `harness run`
over 1 to 256 planted maps of 196 nodes with `louvain` on two workers, from start to end: seconds
by the clock, and the coordinator's peak memory.

Writes OUT/scaling.csv, OUT/scaling.svg, OUT/scaling.png and OUT/scaling-provenance.json; rows of a
section that is not named stay as they are. With --redraw nothing is measured.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas
from engine_speed import run
from halves import Halves
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from one_thread import require_one_thread
from plots import STYLES, save

import harness
from harness.engine.cell import profile
from harness.engine.environment import environment, invocation, source

LEVELS = 32
NODES = (49, 100, 196, 400, 784, 1296, 2304)
IMAGES = (1, 4, 16, 64, 256)
CLUSTERERS = ("louvain", "infomap", "sdp")
OUTSIDE = "building and scoring"
COLUMNS = ("section", "size", "name", "seconds", "peak")
# Seconds after which no larger map is tried.
ENOUGH = 120.0


def nodes(largest: int) -> Iterator[tuple[object, ...]]:
    """Seconds of a processor a map, by clusterer, and beside them: a row each."""
    builder = harness.make("graph builder", "threshold")
    slow: set[str] = set()
    for count in (each for each in NODES if each <= largest):
        maps = harness.make("extractor", f"planted[count=1,n={count},k=4]")
        attention = maps.load(*maps.keys())
        graphs = list(builder.build(attention, builder.levels(attention, LEVELS)))

        def score(attention: harness.AttentionMap = attention) -> None:
            for _ in profile(attention, builder, Halves(), n_levels=LEVELS, seed=0, resolution=1.0):
                pass

        yield "nodes", count, OUTSIDE, _seconds(score), None
        for name in (each for each in CLUSTERERS if each not in slow):
            clusterer = harness.make("clusterer", name)

            def cluster(graphs: list[harness.Graph] = graphs, by: Any = clusterer) -> None:
                for _ in by.cluster_sweep(graphs, seed=0):
                    pass

            taken = _seconds(cluster)
            yield "nodes", count, name, taken, None
            if taken > ENOUGH:
                slow.add(name)


def _seconds(work: Callable[[], None]) -> float:
    """The seconds of a processor for some work, the median of three; of one if it is slow."""
    taken: list[float] = []
    while len(taken) < 3 and sum(taken) < ENOUGH / 4:
        # The first call imports the libraries.
        if not taken:
            work()
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return statistics.median(taken)


def images(largest: int) -> Iterator[tuple[object, ...]]:
    """Seconds by the clock of whole runs, and the coordinator's peak in bytes: a row each."""
    plain = ("--controls", "none", "--perturbations", "none", "--selectors", "max-modularity")
    for count in (each for each in IMAGES if each <= largest):
        with tempfile.TemporaryDirectory() as folder:
            maps = ("--extractors", f"planted[count={count}]", "--clusterers", "louvain")
            made = run(Path(folder, "run"), *maps, *plain, "-j", "2")
        yield "images", count, "louvain", made.command.wall, made.command.peak


SECTIONS: Mapping[str, Callable[[int], Iterator[tuple[object, ...]]]] = {
    "nodes": nodes,
    "images": images,
}


def draw(table: pandas.DataFrame) -> Figure:
    """Seconds over nodes, and over images with the coordinator's memory."""
    figure, (by_nodes, by_images) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    of_nodes = table[table["section"] == "nodes"]
    methods = of_nodes.groupby("name", sort=False)
    for (name, rows), (colour, sign) in zip(methods, STYLES, strict=False):
        by_nodes.plot(rows["size"], rows["seconds"], f"{sign}-", color=colour, label=name)
    by_nodes.set(xlabel="nodes", ylabel=f"processor seconds a map, {LEVELS} levels")
    by_nodes.legend(frameon=False)
    of_images = table[table["section"] == "images"]
    (colour, sign), (other, mark) = STYLES[:2]
    by_images.plot(of_images["size"], of_images["seconds"], f"{sign}-", color=colour)
    by_images.set(xlabel="images", ylabel="seconds of a run, louvain, two workers")
    memory = by_images.twinx()
    memory.plot(of_images["size"], of_images["peak"] / 2**20, f"{mark}--", color=other)
    memory.set_ylim(0, 1.5 * of_images["peak"].max() / 2**20)
    memory.set_ylabel("coordinator's peak, MiB (dashed)")
    for panel, rows in (by_nodes, of_nodes), (by_images, of_images):
        panel.set(xscale="log", yscale="log")
        ticks = sorted(set(rows["size"]))
        panel.set_xticks(ticks, [f"{tick:,}" for tick in ticks], rotation=45)
        panel.minorticks_off()
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.yaxis.set_major_formatter("{x:g}")
        panel.grid(color="#dddddd")
        panel.spines["top"].set_visible(False)
    memory.spines["top"].set_visible(False)
    return figure


def main() -> None:
    """Measure what is asked for, and write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--largest", type=int, default=max(NODES), help="no larger sizes")
    parser.add_argument("--redraw", action="store_true", help="draw what was measured before")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.sections) - set(SECTIONS)):
        parser.error(f"no such section: {', '.join(unknown)}")
    require_one_thread()
    arguments.out.mkdir(parents=True, exist_ok=True)
    file = arguments.out / "scaling.csv"
    table = pandas.read_csv(file) if file.exists() else pandas.DataFrame(columns=COLUMNS)
    for section in () if arguments.redraw else arguments.sections or SECTIONS:
        rows = []
        for row in SECTIONS[section](arguments.largest):
            print(*row, flush=True)
            rows.append(row)
        measured = pandas.DataFrame(rows, columns=COLUMNS)
        others = table[table["section"] != section]
        table = pandas.concat([others, measured]) if len(others) else measured
        table.to_csv(file, index=False, float_format="%.4g")
        how = {**invocation(), "source": source(), "environment": environment(1)}
        # A folder of the machine where it was run.
        del how["folder"]
        how["command"] = ["benchmarks/scaling.py", *sys.argv[2:]]
        (arguments.out / "scaling-provenance.json").write_text(json.dumps(how, indent=1) + "\n")
    save(draw(table), arguments.out / "scaling")


if __name__ == "__main__":
    main()
