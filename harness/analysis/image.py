"""One map of a run seen closely: what every method found on it at every level, and what noise gave.

The values behind `harness show`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.analysis.partitions import CELL_KEYS, cells_of_image, spellings_meant
from harness.errors import HarnessError
from harness.plugin.patches import Region
from harness.plugin.profile import Profile
from harness.plugin.values import Floats, Integers
from harness.store import Store
from harness.store.maps import is_intact, load_map
from harness.store.records import MapRecord

NOT_EXTRACTED = "its map was not extracted yet"
# All draws of one control for one observed cell, level by level.
NOISE = """
SELECT count(*), avg(points.modularity), min(points.modularity), max(points.modularity),
       avg(points.n_clusters)
FROM planned JOIN cells USING (cell) JOIN points USING (cell)
WHERE planned.role = 'control' AND cells.status = 'ok' AND planned.control = :control
    AND planned.observed = :map AND planned.image = :image AND planned.image_set = :image_set
    AND planned.graph = :graph AND planned.clusterer = :clusterer AND planned.repeat = :repeat
GROUP BY points.point ORDER BY points.point
"""
HEADS = """
SELECT DISTINCT planned.head, maps.digest
FROM planned JOIN maps USING (map)
WHERE planned.role = 'observed' AND maps.reason = '' AND planned.image = :image
    AND planned.image_set = :image_set AND planned.extractor = :extractor
    AND planned.layer = :layer
ORDER BY planned.head
"""


@dataclass(frozen=True, eq=False)
class Noise:
    """A method on the reference control's draws for one map: columns are (levels,).

    Mean, smallest and largest modularity over the draws, and the mean number of clusters.
    """

    control: str
    draws: int
    modularity: Floats
    lowest: Floats
    highest: Floats
    n_clusters: Floats


@dataclass(frozen=True)
class Choice:
    """What a selector chose in a profile: `candidate` and `plateau` are indices of levels.

    candidate is None where the selector failed; p by control, jaccards by kind of stability.
    """

    selector: str
    candidate: int | None
    accepted: bool
    plateau: tuple[int, int] | None
    reason: str
    p: Mapping[str, float] = field(default_factory=dict)
    jaccards: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Method:
    """What one clusterer did with the map; status and reason are its cell's."""

    clusterer: str
    status: str
    reason: str
    profile: Profile
    noise: Noise | None
    choices: tuple[Choice, ...]


@dataclass(frozen=True, eq=False)
class ImageReport:
    """One map of a run with all that was found on it.

    images is the image set, "" for stored maps; size is (height, width, channels) and label the
    image's, None where there is none. grid, region and truth are the map's, None where it has none;
    nodes is 0 and unreadable says why where there is no map. others: what else there is of the
    image and was not asked for, by key of `harness.analysis.partitions`.
    """

    image: str
    images: str
    extractor: str
    layer: int
    head: int
    graph: str
    repeat: int
    size: tuple[int, int, int] | None
    label: int | None
    nodes: int
    grid: tuple[int, int] | None
    region: Region | None
    truth: Integers | None
    unreadable: str
    others: Mapping[str, tuple[str, ...]]
    methods: tuple[Method, ...]


def image_report(
    store: Store,
    image: str,
    told: Mapping[str, str],
    clusterers: Sequence[str] = (),
    selectors: Sequence[str] = (),
) -> ImageReport:
    """Read what the run found on one map of an image.

    told: which one, by key of `harness.analysis.partitions.CELL_KEYS`; of what is not told the
    first in the plan is taken. Clusterers and selectors are spellings or names; none are all.
    Raises HarnessError for what the run does not have.
    """
    rows, others = _narrowed(cells_of_image(store, image), told)
    first = rows[0]
    wanted = spellings_meant(
        "--method", "clusterer", clusterers, [row["clusterer"] for row in rows]
    )
    known = _selectors(store, rows)
    chosen_by = spellings_meant("--selector", "selector", selectors, known)
    kept = store.map(first["map"]) or MapRecord(first["map"], reason=NOT_EXTRACTED)
    size, label, refused = _image(store, first["image_set"], image)
    return ImageReport(
        image,
        first["image_set"],
        first["extractor"],
        first["layer"],
        first["head"],
        first["graph"],
        first["repeat"],
        size,
        label,
        kept.nodes,
        kept.grid,
        kept.region,
        None if kept.truth is None else np.array(kept.truth),
        refused or kept.reason,
        others,
        tuple(_method(store, image, row, chosen_by) for row in rows if row["clusterer"] in wanted),
    )


def weights_by_head(
    store: Store, report: ImageReport, *, alone: bool
) -> dict[int, NDArray[np.floating[Any]]]:
    """The weights (n, n) of the map, or unless `alone` of every head of its layer, by head.

    Raises HarnessError if a map's file is gone or damaged.
    """
    place = {
        "image": report.image,
        "image_set": report.images,
        "extractor": report.extractor,
        "layer": report.layer,
    }
    found = {}
    for head, digest in store.connection.execute(HEADS, place):
        if alone and head != report.head:
            continue
        if not is_intact(store.maps_folder, digest):
            raise HarnessError(
                f"{store.maps_folder / digest}.npy: the map of layer {report.layer}, head {head} "
                "is gone or damaged"
            )
        found[int(head)] = load_map(store.maps_folder, digest, None, None).weights
    return found


def _narrowed(
    rows: Sequence[Mapping[str, Any]], told: Mapping[str, str]
) -> tuple[list[Mapping[str, Any]], dict[str, tuple[str, ...]]]:
    """The cells of one map, graph and repeat, and what else there would have been."""
    left, others = list(rows), {}
    for key, column in CELL_KEYS.items():
        values = list(dict.fromkeys(str(row[column]) for row in left))
        (chosen, *_) = (
            spellings_meant(f"--{key}", key, [told[key]], values) if key in told else values
        )
        if key not in told and len(values) > 1:
            others[key] = tuple(value for value in values if value != chosen)
        left = [row for row in left if str(row[column]) == chosen]
    return left, others


def _selectors(store: Store, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    cells = json.dumps([row["cell"] for row in rows])
    return [
        selector
        for (selector,) in store.connection.execute(
            "SELECT DISTINCT selector FROM selections "
            "WHERE cell IN (SELECT value FROM json_each(?)) ORDER BY selector",
            (cells,),
        )
    ]


def _image(
    store: Store, image_set: str, image: str
) -> tuple[tuple[int, int, int] | None, int | None, str]:
    """Size and label of an image, and why it cannot be had; of a stored map there are none."""
    row = store.connection.execute(
        "SELECT height, width, channels, label, reason FROM images "
        "WHERE image_set = ? AND image = ?",
        (image_set, image),
    ).fetchone()
    if row is None:
        return None, None, ""
    height, width, channels, label, reason = row
    return None if reason else (height, width, channels), label, reason


def _method(store: Store, image: str, row: Mapping[str, Any], selectors: Sequence[str]) -> Method:
    profile = Profile([]) if row["status"] is None else store.profile(row["cell"])
    return Method(
        row["clusterer"],
        row["status"] or "missing",
        row["reason"] or "",
        profile,
        _noise(store, image, row, len(profile)),
        tuple(_choices(store, row["cell"], selectors)),
    )


def _noise(store: Store, image: str, row: Mapping[str, Any], levels: int) -> Noise | None:
    control = next(iter(store.controls()), None)
    found = store.connection.execute(NOISE, {**row, "image": image, "control": control}).fetchall()
    # A profile that ended early has no level to set all of the noise's beside.
    if not found or len(found) != levels:
        return None
    draws, *columns = zip(*found, strict=True)
    figures = [np.array(column, dtype=np.float64) for column in columns]
    return Noise(str(control), max(draws), *figures)


def _choices(store: Store, cell: str, selectors: Sequence[str]) -> list[Choice]:
    found = []
    for selector, status, candidate, accepted, first, last, reason in store.connection.execute(
        "SELECT selector, status, candidate, accepted, plateau_first, plateau_last, reason "
        "FROM selections WHERE cell = ? ORDER BY selector",
        (cell,),
    ):
        if selector not in selectors:
            continue
        place = cell, selector
        tests = store.connection.execute(
            "SELECT control, p FROM tests WHERE cell = ? AND selector = ?", place
        )
        stabilities = store.connection.execute(
            "SELECT kind, jaccard FROM stabilities WHERE cell = ? AND selector = ?", place
        )
        found.append(
            Choice(
                selector,
                candidate if status == "ok" else None,
                bool(accepted),
                None if first is None else (first, last),
                reason,
                dict(tests.fetchall()),
                dict(stabilities.fetchall()),
            )
        )
    return found
