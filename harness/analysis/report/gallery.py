"""The images that a report shows, with their maps, and every method's clusters at all levels."""

import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.analysis.image import Noise, noise
from harness.analysis.method import MethodKey, grouped
from harness.analysis.outcomes import Outcome
from harness.analysis.report.effects import image_of, image_scores, spread_out
from harness.errors import HarnessError
from harness.metrics.tracking import tracked
from harness.planning.progress import SILENT, Progress
from harness.planning.survey import MapRecord
from harness.plugin.patches import Region
from harness.plugin.values import Floats, Integers
from harness.store import Store
from harness.store.classes import class_names
from harness.store.maps import is_intact, load_map
from harness.store.profiles import stored_profile

# Images of a run, maps of an image, and profiles of a map that are shown at most.
MOST_IMAGES = 60
MOST_MAPS = 24
MOST_SWEEPS = 24
# Rather than fewer maps of an image than this, fewer images are shown.
FEW_MAPS = 4
# Patches whose attention is shown for each patch.
TARGETS = 12
# What the shown images may take up, in bytes of a page, with about so many for a photo, for each
# target of a patch, and for each figure of a level.
BUDGET = 7_000_000
PHOTO, TARGET, FIGURE = 70_000, 4, 7
# The picture of an image, given its set and its name; HarnessError says why there is none.
Picture = Callable[[str, str], str]


@dataclass(frozen=True, eq=False)
class Targets:
    """The patches that each patch attends to most: their numbers and weights, (n, targets)."""

    patches: Integers
    weights: Floats


@dataclass(frozen=True)
class ShownSelection:
    """A selector's outcome on a map, with its plateau and its stabilities by kind."""

    outcome: Outcome
    plateau: tuple[int, int] | None
    stabilities: Mapping[str, float | None]


@dataclass(frozen=True, eq=False)
class Sweep:
    """One clusterer on the graphs of one map, level by level.

    figures: those of a point (levels,), by name; numbers: of the clusters (levels, n), as those of
    `harness.metrics.tracking`; noise: the image's own draws under each control.
    """

    method: MethodKey
    repeat: int
    figures: Mapping[str, Floats]
    numbers: Integers
    noise: tuple[Noise, ...]
    selections: tuple[ShownSelection, ...]


@dataclass(frozen=True, eq=False)
class ShownMap:
    """One attention map of an image; targets: None if its weights are lost."""

    extractor: str
    layer: int
    head: int
    nodes: int
    grid: tuple[int, int] | None
    region: Region | None
    targets: Targets | None
    sweeps: tuple[Sweep, ...]


@dataclass(frozen=True, eq=False)
class ShownImage:
    """An image, or a stored map without one.

    image_set: the map set of a stored map; score: its mean effect (modularity without a control);
    size: height and width in pixels, None without an image; picture: "" if there is none, and then
    missing says why, "" if there is no image.
    """

    image_set: str
    image: str
    class_name: str
    score: float | None
    size: tuple[int, int] | None
    picture: str
    missing: str
    maps: tuple[ShownMap, ...]


@dataclass(frozen=True, eq=False)
class Gallery:
    """Images by their score, the largest first, and how many images, maps and profiles there are.

    maps: how many of an image are shown at most; the counts of maps and profiles are the most of
    one image and of one map.
    """

    images: tuple[ShownImage, ...]
    maps: int
    of_images: int
    of_maps: int
    of_sweeps: int


def gallery(
    store: Store,
    found: Sequence[Outcome],
    picture: Picture,
    budget: int = BUDGET,
    progress: Progress = SILENT,
) -> Gallery:
    """The images of a run that fit into so many bytes, evenly by their score, given all outcomes.

    Images without a score come last. Of many maps of an image those are shown that are evenly
    spaced by their score, as many as there is room for beside the images; of many profiles of a map
    the first ones.
    """
    by_image = grouped(found, image_of)
    scores = image_scores(found)
    ordered = [*scores, *(image for image in by_image if image not in scores)]
    maps = {image: _by_map(of_image) for image, of_image in by_image.items()}
    of_maps = max((len(each) for each in maps.values()), default=0)
    sweeps = [len(grouped(of_map, _sweep_of)) for of_image in maps.values() for of_map in of_image]
    of_sweeps = max(sweeps, default=0)
    of_map = _bytes_of_map(store, of_sweeps)
    of_image = PHOTO + min(of_maps, FEW_MAPS) * of_map
    shown = spread_out(ordered, min(MOST_IMAGES, max(1, budget // of_image)))
    room = budget // max(1, len(shown)) - PHOTO
    most_maps = min(of_maps, MOST_MAPS, max(FEW_MAPS, room // of_map))
    reader = _Reader(store, picture, most_maps)
    images = tuple(
        reader.image(image, scores.get(image), maps[image])
        for image in progress.track("reading images", shown)
    )
    return Gallery(images, most_maps, len(ordered), of_maps, of_sweeps)


def _bytes_of_map(store: Store, sweeps: int) -> int:
    """About how much a map takes up on a page, with so many profiles."""
    nodes = store.count("SELECT coalesce(max(nodes), 0) FROM cells")
    figures = 5 + 3 * len(store.controls())
    of_sweep = int(store.settings()["levels"]) * (nodes * 4 // 3 + figures * FIGURE)
    return 1 + nodes * TARGETS * TARGET + min(sweeps, MOST_SWEEPS) * of_sweep


def _by_map(found: Sequence[Outcome]) -> list[list[Outcome]]:
    """Outcomes of one image, map by map, those with the largest scores first."""
    maps = grouped(found, lambda each: (each.method.extractor, each.layer, each.head)).values()

    def score(of_map: Sequence[Outcome]) -> tuple[bool, float]:
        scores = [each.score for each in of_map if each.ok and each.score is not None]
        return not scores, -statistics.fmean(scores) if scores else 0.0

    return sorted(maps, key=score)


def _sweep_of(outcome: Outcome) -> tuple[Any, ...]:
    return outcome.cell, outcome.method._replace(selector=""), outcome.repeat


class _Reader:
    """Reads what is shown of images from a store."""

    def __init__(self, store: Store, picture: Picture, most_maps: int) -> None:
        self._most_maps = most_maps
        self._store = store
        self._picture = picture
        self._classes = class_names(store)
        self._controls = store.controls()

    def image(
        self, image: tuple[str, str], score: float | None, maps: Sequence[Sequence[Outcome]]
    ) -> ShownImage:
        image_set, name = image
        size, picture, missing = None, "", ""
        row = self._store.connection.execute(
            "SELECT height, width, reason FROM images WHERE image_set = ? AND image = ?", image
        ).fetchone()
        if row is not None:
            *sides, missing = row
            if not missing:
                size = (sides[0], sides[1])
                try:
                    picture = self._picture(*image)
                except HarnessError as error:
                    missing = str(error)
        return ShownImage(
            image_set,
            name,
            self._classes.get(image, ""),
            score,
            size,
            picture,
            missing,
            tuple(filter(None, map(self._map, spread_out(maps, self._most_maps)))),
        )

    def _map(self, found: Sequence[Outcome]) -> ShownMap | None:
        first = found[0]
        record = self._store.map(first.map)
        if record is None or record.reason:
            return None
        profiles = list(grouped(found, _sweep_of).values())[:MOST_SWEEPS]
        return ShownMap(
            first.method.extractor,
            first.layer,
            first.head,
            record.nodes,
            record.grid,
            record.region,
            self._targets(record),
            tuple(self._sweeps(profiles)),
        )

    def _targets(self, record: MapRecord) -> Targets | None:
        if not is_intact(self._store.maps_folder, record.digest):
            return None
        weights = load_map(self._store.maps_folder, record).weights
        count = min(TARGETS, record.nodes)
        # Of equal weights, those of the first patches.
        patches = np.argsort(-weights, axis=1, kind="stable")[:, :count]
        return Targets(patches, np.take_along_axis(weights, patches, axis=1).astype(np.float64))

    def _sweeps(self, profiles: Iterable[Sequence[Outcome]]) -> Iterator[Sweep]:
        """The profiles of a map; clusters of later ones are numbered as those of the first."""
        first: Integers | None = None
        for found in profiles:
            figures = stored_profile(self._store, found[0].cell).figures
            labels = self._store.labels(found[0].cell) if len(figures["level"]) else None
            if labels is None:
                continue
            start = _start(found, len(labels))
            numbers = tracked(labels, start, first)
            first = numbers[start] if first is None else first
            yield Sweep(
                found[0].method._replace(selector=""),
                found[0].repeat,
                figures,
                numbers,
                tuple(self._noise(found[0], len(labels))),
                tuple(map(self._selection, found)),
            )

    def _noise(self, outcome: Outcome, levels: int) -> Iterator[Noise]:
        cell = {**outcome._asdict(), **outcome.method._asdict()}
        for control in self._controls:
            if (found := noise(self._store, cell, control, levels)) is not None:
                yield found

    def _selection(self, outcome: Outcome) -> ShownSelection:
        key = outcome.cell, outcome.method.selector
        plateau = self._store.connection.execute(
            "SELECT plateau_first, plateau_last FROM selections WHERE cell = ? AND selector = ? "
            "AND plateau_first IS NOT NULL",
            key,
        ).fetchone()
        stabilities = self._store.connection.execute(
            "SELECT kind, jaccard FROM stabilities WHERE cell = ? AND selector = ? ORDER BY kind",
            key,
        )
        return ShownSelection(outcome, plateau, dict(stabilities.fetchall()))


def _start(found: Sequence[Outcome], levels: int) -> int:
    """The level where numbering starts: the first that a selector chose, else the middle."""
    chosen = (each.candidate for each in found if each.candidate is not None)
    return next(chosen, levels // 2)
