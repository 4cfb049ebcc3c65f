"""How long it takes to read a run of 100,000 cells: tables, tests, figures, files.

    OMP_NUM_THREADS=1 python benchmarks/stored_cells.py [SHAPE …] [--share F] [--keep DIR] [--json]

Nothing is clustered: a store is filled by its own functions, with profiles that look like those of
a run. Shapes: repeats (1,000 maps, 100 repeats, one level), heads (12 × 6 heads, 60 images, three
methods, six nulls, a perturbation, 32 levels), methods (20 clusterers and seven selectors on 100
planted maps with 39 nulls, eight levels). All by the command, in processes of their own. With
--share only a part of the images is there; --keep leaves the stores in a folder, and takes those
that are there.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from engine_speed import measured
from one_thread import require_one_thread
from rich.console import Console
from rich.table import Table

from harness.api import prepare
from harness.metrics.selection_bias import SelectionBias
from harness.metrics.significance import significance
from harness.planning.plan import Plan, PlannedCell, expected_code, make_plan
from harness.planning.survey import MapRecord, Survey, SurveyedExtractor, SurveyedImage, SurveyedMap
from harness.plugin.profile import Point, Selection
from harness.plugin.values import HeadIndex
from harness.store import open_for_writing
from harness.store.records import (
    LEVELS,
    CellRecord,
    ControlRecord,
    SelectionRecord,
    StabilityRecord,
)
from harness.store.selections import replace_selections, replace_stabilities

NODES = 196
GRID = (14, 14)
COMMUNITIES = 5
# Perturbed cells have so many draws.
DRAWS = 5
WRITTEN_AT_ONCE = 1000
IMAGE_SET, EXTRACTOR = "fashion-mnist-sample", "one-layer-vit"


@dataclass(frozen=True)
class Shape:
    """A run: its settings, so many images or maps on so many layers and heads; stored or not."""

    settings: Mapping[str, Any]
    images: int
    layers: int = 1
    heads: int = 1
    stored: bool = False
    truth: bool = False


SHAPES = {
    "repeats": Shape(
        {
            "extractors": "planted",
            "clusterers": "louvain",
            "selectors": "max-modularity",
            "controls": "none",
            "perturbations": "none",
            "levels": 1,
            "repeats": 100,
        },
        images=1_000,
        stored=True,
    ),
    "heads": Shape(
        {
            "images": IMAGE_SET,
            "extractors": EXTRACTOR,
            "clusterers": "louvain,infomap,spectral",
            "selectors": "excess-modularity",
            "controls": "uniform-noise",
            "perturbations": "seeds",
            "nulls": 6,
            "pooling": "image",
            "levels": 32,
        },
        images=60,
        layers=12,
        heads=6,
    ),
    "methods": Shape(
        {
            "extractors": "planted",
            "clusterers": [f"louvain[resolution={value / 10:g}]" for value in range(1, 21)],
            "selectors": [
                "excess-modularity",
                "stable-phase",
                "jaccard-plateau",
                "max-modularity",
                *(f"fixed[level={level}]" for level in (0.5, 0.7, 0.9)),
            ],
            "controls": "permuted-rows",
            "perturbations": "none",
            "nulls": 39,
            "pooling": "image",
            "levels": 8,
        },
        images=100,
        stored=True,
        truth=True,
    ),
}


def make_store(folder: Path, name: str, share: float = 1.0) -> int:
    """Fill the store of a run that was never computed; returns its number of cells."""
    shape = SHAPES[name]
    images = max(2, round(shape.images * share))
    prepared = prepare(None, {**shape.settings, "out": folder})
    settings, registry = prepared.settings, prepared.registry
    survey = _survey(shape, images, settings.extractors[0])
    plan = make_plan(settings, survey, registry, expected_code(settings, registry))
    session = {
        "environment": {"libraries": {}},
        "finished": True,
        "isolation": "process",
        "plugins": [],
        "source": {},
        "invocation": {},
        "fingerprints": {},
        "caveats": {},
    }
    random = _Random(settings.levels)
    with open_for_writing(folder) as store:
        # What a power failure loses can be made again.
        store.connection.execute("PRAGMA synchronous = OFF")
        store.write_plan(asdict(settings), session, survey.images, plan.cells())
        store.write_maps(_map_record(planned.key, shape) for planned in plan.maps)
        cells = _in_pages(plan.cells())
        chosen: dict[str, tuple[int, PlannedCell]] = {}
        for page in cells:
            records = [random.record(cell) for cell in page]
            store.write_cells(records)
            for cell, record in zip(page, records, strict=True):
                if cell.map.variant.role == "observed":
                    best = int(np.argmax([point.modularity for point in record.points]))
                    chosen[cell.key] = best, cell
        selectors = settings.selectors
        replace_selections(store, random.selections(plan, chosen, selectors), selectors)
        levels = {key: [level] for key, (level, _) in chosen.items()}
        for page in _in_pages(plan.perturbed_cells(levels)):
            store.extend_plan(page)
            store.write_cells(random.record(cell) for cell in page)
        replace_stabilities(store, random.stabilities(plan, chosen, selectors))
        return store.count("SELECT count(DISTINCT cell) FROM planned")


def _in_pages(cells: Iterator[PlannedCell]) -> Iterator[list[PlannedCell]]:
    page: list[PlannedCell] = []
    for cell in cells:
        page.append(cell)
        if len(page) == WRITTEN_AT_ONCE:
            yield page
            page = []
    if page:
        yield page


def _survey(shape: Shape, images: int, extractor: str) -> Survey:
    indices = [
        HeadIndex(layer, head) for layer in range(shape.layers) for head in range(shape.heads)
    ]
    keys = [f"image-{number:04d}" for number in range(images)]
    if shape.stored:
        maps = (
            SurveyedMap(extractor, "", index, _map_record(key, shape, digest=f"{number:032x}"))
            for index in indices
            for number, key in enumerate(keys)
        )
        return Survey((), (), tuple(maps))
    surveyed = [
        SurveyedImage(IMAGE_SET, key, f"{number:032x}", 28, 28, 1, number % 10, str(number % 10))
        for number, key in enumerate(keys)
    ]
    return Survey(tuple(surveyed), (SurveyedExtractor(extractor, tuple(indices), ""),), ())


def _map_record(key: str, shape: Shape, digest: str = "") -> MapRecord:
    truth = tuple((np.arange(NODES) * COMMUNITIES // NODES).tolist()) if shape.truth else None
    return MapRecord(key, digest or key, NODES, GRID, truth)


class _Random:
    """Points, selections and stabilities as runs have them, drawn from one fixed seed."""

    def __init__(self, levels: int) -> None:
        self._random = np.random.default_rng(0)
        self._levels = np.linspace(0, 0.98, levels)
        # Partitions with more clusters and more unassigned nodes at sparser levels.
        self._labels = [
            [self._partition(level) for _ in range(50)] for level in self._levels.tolist()
        ]

    def _partition(self, level: float) -> Any:
        clusters = int(self._random.integers(3, 5 + int(20 * level**4)))
        labels = np.sort(self._random.integers(0, clusters, NODES))
        moved = self._random.random(NODES) < 0.3
        labels[moved] = self._random.integers(0, clusters, int(moved.sum()))
        labels[self._random.random(NODES) < 0.1 * level] = -1
        return labels.astype(np.int64)

    def record(self, cell: PlannedCell) -> CellRecord:
        """A profile that rises with sparsity, above that of noise if the cell is observed."""
        at = self._levels if cell.point is None else np.repeat(self._levels[cell.point], DRAWS)
        numbers = range(len(at)) if cell.point is None else [cell.point] * DRAWS
        count, random = len(at), self._random
        structure = 0.2 * random.random() * (cell.map.variant.role != "control")
        noise = 0.05 + 0.5 * at**6
        bump = structure * np.exp(-(((at - 0.8) / 0.3) ** 2))
        modularity = noise + bump + 0.01 * random.standard_normal(count)
        columns = {
            "level": at,
            "threshold": at / NODES,
            "density": 1 - at,
            "modularity": modularity,
            "modularity_full": 0.05 + bump / 2 + 0.005 * random.standard_normal(count),
            "z_modularity": 3 + 20 * bump + random.standard_normal(count),
            "coverage": 1 - 0.1 * at,
            "largest_component_fraction": 1 - 0.3 * at**8,
            "isolated_fraction": 0.2 * at**8,
            "jaccard_previous": random.random(count),
            "seconds": 0.005 + 0.005 * random.random(count),
        }
        names, rows = list(columns), zip(*(each.tolist() for each in columns.values()), strict=True)
        chosen = [self._labels[number][int(random.integers(50))] for number in numbers]
        points = [
            Point(
                **dict(zip(names, row, strict=True)),
                n_clusters=int(labels.max()) + 1,
                labels=labels,
                diagnostics={"iterations": 3.0},
            )
            for row, labels in zip(rows, chosen, strict=True)
        ]
        return CellRecord(cell.key, "ok", seconds=0.4, peak_memory=2**28, points=points)

    def selections(
        self, plan: Plan, chosen: Mapping[str, tuple[int, PlannedCell]], selectors: Sequence[str]
    ) -> Iterator[SelectionRecord]:
        """Each at the level of largest modularity or near it, beside draws of every control."""
        settings = plan.settings
        for selector in selectors:
            for key, (best, _) in chosen.items():
                level = max(best - int(self._random.integers(3)), 0)
                statistic = float(self._random.normal(2.0))
                accepted = bool(self._random.random() < 0.8)
                selection = Selection(level, statistic, accepted, (level, best), "as drawn")
                draws = self._random.standard_normal((len(settings.controls), settings.nulls))
                tests = {
                    control: ControlRecord(
                        significance(statistic, nulls),
                        [0] * settings.nulls,
                        SelectionBias(*(0.01 * self._random.standard_normal(2)).tolist()),
                    )
                    for control, nulls in zip(settings.controls, draws.tolist(), strict=True)
                }
                yield SelectionRecord(key, selector, selection, tests=tests)

    def stabilities(
        self, plan: Plan, chosen: Mapping[str, Any], selectors: Sequence[str]
    ) -> Iterator[StabilityRecord]:
        """Across levels, and under every perturbation."""
        for kind in (LEVELS, *plan.settings.perturbations):
            for selector in selectors:
                for key in chosen:
                    jaccard, weakest = self._random.random(2).tolist()
                    yield StabilityRecord(key, selector, kind, DRAWS, jaccard, 0, 9, weakest)


Command = tuple[str, ...]


def commands(folder: Path, name: str) -> Mapping[str, Command]:
    """What is asked of a store, by what it is called in the table."""
    run, shape = str(folder), SHAPES[name]
    first = "image-0000"
    asked: dict[str, Command] = {
        "leaderboard": ("leaderboard", run),
        "leaderboard --json": ("leaderboard", run, "--json"),
        "leaderboard --csv": ("leaderboard", run, "--csv"),
        "leaderboard --pairs --stability": ("leaderboard", run, "--pairs", "--stability"),
        "leaderboard --per layer": ("leaderboard", run, "--per", "layer"),
        "leaderboard --per head": ("leaderboard", run, "--per", "head"),
    }
    if shape.layers > 1:
        out = str(folder.with_name(f"{folder.name}-layers"))
        asked["layers"] = ("layers", run)
        asked["layers --out"] = ("layers", run, "--out", out)
    show, figures = ("show", run, first), str(folder.with_name(f"{folder.name}-figures"))
    asked |= {
        "show": ("show", run),
        "show IMAGE": show,
        "show IMAGE --out": (*show, "--out", figures),
        "compare": ("compare", run, run),
        "export": ("export", run, "--out", str(folder.with_name(f"{folder.name}-tables"))),
    }
    for selector in ("excess-modularity", "max-modularity"):
        if selector == "max-modularity" or shape.settings["controls"] != "none":
            asked[f"select {selector}"] = ("select", run, "--selectors", selector)
    return asked


def main() -> None:
    """Make the stores that are asked for and time what reads them."""
    parser = argparse.ArgumentParser(description="Time what reads a run of 100,000 cells.")
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help=", ".join(SHAPES))
    parser.add_argument("--share", type=float, default=1.0, help="of the images (default all)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="folder for the stores")
    parser.add_argument("--only", metavar="TEXT", default="", help="commands that contain it")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    if unknown := sorted(set(arguments.shapes) - set(SHAPES)):
        parser.error(f"no such shape: {', '.join(unknown)}")
    require_one_thread()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in arguments.shapes or SHAPES:
            folder = (arguments.keep or Path(scratch)) / name
            if not folder.exists():
                make_store(folder, name, arguments.share)
            found[name] = list(_timed(folder, name, arguments.only))
            if not arguments.json:
                _show(name, found[name])
    if arguments.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))


def _timed(folder: Path, name: str, only: str) -> Iterator[Mapping[str, Any]]:
    for what, command in commands(folder, name).items():
        if only in what:
            took = measured(*command)
            print(f"{what}: {took.processor:.2f} s", file=sys.stderr)
            yield {"command": what, **asdict(took)}


def _show(name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    table = Table("harness …", "wall", "processor", "peak", title=name)
    for row in rows:
        peak = f"{row['peak'] / 2**20:.0f} MiB"
        table.add_row(row["command"], f"{row['wall']:.1f} s", f"{row['processor']:.1f} s", peak)
    Console().print(table)


if __name__ == "__main__":
    main()
