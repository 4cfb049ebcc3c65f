"""The same work done twice, by the loops of a thesis and by the harness, with both's seconds.

    OMP_NUM_THREADS=1 python benchmarks/against_the_thesis.py [--maps FOLDER] [--json]

Two attention maps, 32 density levels, Louvain, Infomap and the SDP. The thesis' way is what a
student writes: one threshold after the other, networkx graphs made pair by pair, modularity by
networkx. The harness' wall time is that of a whole `harness.run` on two workers, the start of
its processes included. It goes first, so that what has to come from the disk is at its cost.
"""

import argparse
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from one_thread import require_one_thread
from rich.console import Console
from rich.table import Table
from thesis_methods import LOUVAIN_SECONDS, infomap_modules, louvain, sdp

import harness
from harness import Floats

METHODS = ("louvain", "infomap", "sdp")
LEVELS = 32
SPARSEST_FRACTION = 0.98
WORKERS = 2
NODES = 256
COMMUNITIES = 5
SIGNAL = 1.0
COLUMN_SPREAD = 0.5
MAP_SEEDS = (1, 2)


@dataclass
class Way:
    """One way's figures: modularity by (method, map, level's number), NaN where it has none.

    seconds: of the methods alone, and of the whole. parts: seconds of what the methods share.
    """

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(METHODS, 0.0))
    parts: dict[str, float] = field(default_factory=lambda: {"graphs": 0.0, "scores": 0.0})
    total: float = 0.0
    edges: dict[tuple[str, int], int] = field(default_factory=dict)
    modularity: dict[tuple[str, str, int], float] = field(default_factory=dict)
    alarms: int = 0
    unconverged: int = 0


@dataclass(frozen=True)
class Comparison:
    """A method's figures in both ways; modularities are means over all maps and levels."""

    thesis_seconds: float
    harness_seconds: float
    thesis_modularity: float
    harness_modularity: float
    points: int
    points_below: int


def planted_map(seed: int) -> Floats:
    """Synthetic attention (256, 256) with five communities: a row softmax of noisy logits."""
    generator = np.random.default_rng(seed)
    community = generator.permutation(np.arange(NODES) * COMMUNITIES // NODES)
    logits = generator.normal(size=(NODES, NODES))
    logits += COLUMN_SPREAD * generator.normal(size=NODES)
    logits += SIGNAL * (community[:, None] == community)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    attention: Floats = weights / weights.sum(axis=1, keepdims=True)
    return attention


# The thesis' way.


def thesis_way(maps: Mapping[str, Floats]) -> Way:
    """All methods on all maps at all levels, one after the other."""
    way = Way()
    started = time.perf_counter()
    for name, weights in maps.items():
        for number, fraction in enumerate(np.linspace(0.0, SPARSEST_FRACTION, LEVELS)):
            with _timed(way.parts, "graphs"):
                graph = graph_of(weights, cut_off(weights, float(fraction)))
            way.edges[name, number] = graph.number_of_edges()
            for method in METHODS:
                with _timed(way.seconds, method):
                    clusters = clusters_by(method, graph, way)
                with _timed(way.parts, "scores"):
                    way.modularity[method, name, number] = modularity_of(graph, clusters)
    way.total = time.perf_counter() - started
    return way


def cut_off(weights: Floats, fraction: float) -> float:
    """The weight of the weakest pair that stays when a fraction of all pairs is dropped."""
    pairs = np.sort(weights[~np.eye(len(weights), dtype=bool)])
    return float(pairs[math.floor(round(fraction * len(pairs), 6))])


def graph_of(weights: Floats, threshold: float) -> Any:
    """The networkx graph of the pairs that reach the threshold."""
    import networkx

    graph = networkx.DiGraph()
    graph.add_nodes_from(range(len(weights)))
    for source in range(len(weights)):
        for target in range(len(weights)):
            weight = float(weights[source, target])
            if source != target and weight >= threshold and weight > 0:
                graph.add_edge(source, target, weight=weight)
    return graph


def clusters_by(method: str, graph: Any, way: Way) -> list[set[int]] | None:
    """A method's clusters, nodes left out where unassigned; None if it had to be stopped."""
    if method == "louvain":
        try:
            return louvain(graph)
        except TimeoutError:
            way.alarms += 1
            return None
    if method == "infomap":
        return infomap_modules(graph)
    clusters, converged = sdp(graph)
    way.unconverged += not converged
    return clusters


def modularity_of(graph: Any, clusters: list[set[int]] | None) -> float:
    """Modularity by networkx, unassigned nodes being singletons; NaN where it is undefined."""
    import networkx

    if clusters is None or not graph.number_of_edges():
        return math.nan
    assigned = set().union(*clusters)
    singletons = [{node} for node in graph if node not in assigned]
    return float(networkx.community.modularity(graph, clusters + singletons, weight="weight"))


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[name] += time.perf_counter() - started


def harness_way(maps: str, output: Path) -> Way:
    """One call of the harness, its process start included; `maps` is a map set's spelling."""
    started = time.perf_counter()
    run = harness.run(
        extractors=maps,
        # The thesis' way has nothing of what a run also does: nulls, choice, perturbations.
        controls="none",
        perturbations="none",
        selectors="max-modularity",
        clusterers=",".join(METHODS),
        levels=LEVELS,
        workers=WORKERS,
        cache="none",
        out=output,
    )
    way = Way(total=time.perf_counter() - started)
    cells = run.cells()
    for cell in cells[cells["status"] != "ok"].to_dict("records"):
        sys.exit("{clusterer} on {image}: {status}: {reason}".format_map(cell))
    for point in run.points().to_dict("records"):
        method, name, number = point["clusterer"], point["image"], point["point"]
        n = len(point["labels"])
        way.seconds[method] += point["seconds"]
        way.edges[name, number] = round(point["density"] * n * (n - 1))
        way.modularity[method, name, number] = point["modularity"]
        way.unconverged += bool(json.loads(point["diagnostics"]).get("unconverged"))
    return way


# What comes out.


def compare(thesis: Way, ours: Way) -> dict[str, Comparison]:
    """Each method in both ways, over the points that both have a modularity for."""
    if thesis.edges != ours.edges:
        sys.exit("the two ways have clustered different graphs: nothing can be compared")
    comparisons = {}
    for method in METHODS:
        pairs = [
            (value, ours.modularity[key])
            for key, value in thesis.modularity.items()
            if key[0] == method and not math.isnan(value) and not math.isnan(ours.modularity[key])
        ]
        if not pairs:
            sys.exit(f"{method}: there is no modularity to compare")
        comparisons[method] = Comparison(
            thesis_seconds=thesis.seconds[method],
            harness_seconds=ours.seconds[method],
            thesis_modularity=statistics.fmean(theirs for theirs, _ in pairs),
            harness_modularity=statistics.fmean(own for _, own in pairs),
            points=len(pairs),
            points_below=sum(own < theirs - 1e-3 for theirs, own in pairs),
        )
    return comparisons


def show(thesis: Way, ours: Way) -> None:
    """Print the table."""
    table = Table(title="seconds and mean modularity Q, the thesis' way and the harness'")
    table.add_column("")
    for header in ("thesis s", "harness s", "ratio", "thesis Q", "harness Q", "Q below"):
        table.add_column(header, justify="right", no_wrap=True)
    for method, row in compare(thesis, ours).items():
        table.add_row(
            method,
            f"{row.thesis_seconds:.2f}",
            f"{row.harness_seconds:.2f}",
            f"{row.thesis_seconds / row.harness_seconds:.1f}",
            f"{row.thesis_modularity:.4f}",
            f"{row.harness_modularity:.4f}",
            f"{row.points_below}/{row.points}",
        )
    for part, seconds in thesis.parts.items():
        table.add_row(part, f"{seconds:.2f}")
    table.add_section()
    ratio = thesis.total / ours.total
    table.add_row("wall time", f"{thesis.total:.2f}", f"{ours.total:.2f}", f"{ratio:.1f}")
    console = Console()
    console.print(table)
    console.print(
        f"harness s of a method: inside the clusterer, on {WORKERS} workers at once; wall time: "
        "the whole call. Q below: points at which the harness' modularity is lower by more than "
        f"0.001. Louvain's alarm of {LOUVAIN_SECONDS} s struck {thesis.alarms} times. Spins short "
        f"of their tolerance: {thesis.unconverged} graphs the thesis' way, {ours.unconverged} in "
        "the harness."
    )


def as_json(thesis: Way, ours: Way) -> str:
    """All figures, those of every point too."""
    points = [
        {
            "method": method,
            "map": name,
            "point": number,
            "thesis_modularity": _defined(value),
            "harness_modularity": _defined(ours.modularity[method, name, number]),
        }
        for (method, name, number), value in thesis.modularity.items()
    ]
    return json.dumps(
        {
            "levels": LEVELS,
            "workers": WORKERS,
            "methods": {name: asdict(row) for name, row in compare(thesis, ours).items()},
            "thesis_parts": thesis.parts,
            "thesis_wall_seconds": thesis.total,
            "harness_wall_seconds": ours.total,
            "ratio": thesis.total / ours.total,
            "louvain_alarms": thesis.alarms,
            "thesis_unconverged": thesis.unconverged,
            "harness_unconverged": ours.unconverged,
            "points": points,
        },
        indent=2,
    )


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value


def main() -> None:
    """Time both ways and print what they took and found."""
    parser = argparse.ArgumentParser(description="Time the thesis' loops against the harness.")
    parser.add_argument("--maps", type=Path, help="a folder of .npy maps, instead of synthetic")
    parser.add_argument("--json", action="store_true", help="print JSON, with every point")
    arguments = parser.parse_args()
    require_one_thread()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.maps or Path(temporary) / "maps"
        if arguments.maps is None:
            folder.mkdir()
            for seed in MAP_SEEDS:
                np.save(folder / f"planted-{seed}.npy", planted_map(seed))
        spelling = f"arrays[path={json.dumps(str(folder), ensure_ascii=False)}]"
        try:
            ours = harness_way(spelling, Path(temporary) / "run")
            stored = harness.make("extractor", spelling)
            maps = {
                key: np.asarray(stored.load(key).weights, dtype=np.float64) for key in stored.keys()
            }
        except harness.HarnessError as error:
            sys.exit(str(error))
    thesis = thesis_way(maps)
    if arguments.json:
        print(as_json(thesis, ours))
    else:
        show(thesis, ours)


if __name__ == "__main__":
    main()
