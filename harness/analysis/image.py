"""A report of one map: every method's profile and selections, compared with noise.

The values that `harness show` prints and draws.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.analysis.outcomes import by_selection
from harness.analysis.partitions import (
    CELL_KEYS,
    cells_of_image,
    matching_spec,
    matching_specs,
)
from harness.errors import HarnessError, refuse_unknown
from harness.planning.survey import MapRecord
from harness.plugin.patches import Region
from harness.plugin.profile import Profile
from harness.plugin.values import Floats, Integers
from harness.store import Store
from harness.store.classes import class_names
from harness.store.maps import is_intact, load_map

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
    """A method's results on the draws of one control for one map, level by level.

    modularity, lowest, highest: mean, smallest and largest modularity over the draws, (levels,);
    n_clusters: the mean number of clusters, (levels,).
    """

    control: str
    draws: int
    modularity: Floats
    lowest: Floats
    highest: Floats
    n_clusters: Floats


@dataclass(frozen=True)
class SelectorReport:
    """What a selector chose in a profile.

    candidate: the index of the level, None if the selector failed; plateau: the indices of its
    first and last level; p_value: of the test against the reference control, None without one;
    jaccards: by kind of stability.
    """

    selector: str
    candidate: int | None
    accepted: bool
    plateau: tuple[int, int] | None
    reason: str
    p_value: float | None = None
    jaccards: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class MethodReport:
    """A clusterer's profile of the map and its selections; status and reason are the cell's."""

    clusterer: str
    status: str
    reason: str
    profile: Profile
    noise: Noise | None
    selections: tuple[SelectorReport, ...]


@dataclass(frozen=True, eq=False)
class ImageReport:
    """One map of a run and everything that was found on it.

    image_set: "" for stored maps; size: (height, width, channels), None if the image is unknown or
    could not be loaded, as label may be; class_name: that of the label, "" without one; nodes: 0 if
    there is no map; grid, region, truth: those of the map; unreadable: why there is no map, "" if
    there is one. By key of `harness.analysis.partitions.CELL_KEYS`: others are the other values
    that the run has for the image, without a filter; apart is what tells the map from the image's
    others.
    """

    image: str
    image_set: str
    extractor: str
    layer: int
    head: int
    graph: str
    repeat: int
    size: tuple[int, int, int] | None
    label: int | None
    class_name: str
    nodes: int
    grid: tuple[int, int] | None
    region: Region | None
    truth: Integers | None
    unreadable: str
    others: Mapping[str, tuple[str, ...]]
    apart: Mapping[str, str]
    methods: tuple[MethodReport, ...]


def image_report(
    store: Store,
    image: str,
    filters: Mapping[str, str | int],
    clusterers: Sequence[str] = (),
) -> ImageReport:
    """Read what the run found on one map of an image.

    filters select the map, by key of `harness.analysis.partitions.CELL_KEYS`; without a filter for
    a key, the first value in the plan counts. Clusterers are specs or names; by default all.
    Raises HarnessError if the run has none that match.
    """
    refuse_unknown("filters: there is no key", filters, tuple(CELL_KEYS), "there are")
    rows, others, apart = _select_cells(cells_of_image(store, image), filters)
    first = rows[0]
    selections = _selections(store, rows)
    wanted = matching_specs("clusterer", clusterers, [row["clusterer"] for row in rows])
    record = store.map(first["map"]) or MapRecord(first["map"], reason=NOT_EXTRACTED)
    size, label, refused = _image(store, first["image_set"], image)
    return ImageReport(
        image,
        **{column: first[column] for column in CELL_KEYS.values()},
        size=size,
        label=label,
        class_name=class_names(store).get((first["image_set"], image), ""),
        nodes=record.nodes,
        grid=record.grid,
        region=record.region,
        truth=None if record.truth is None else np.array(record.truth),
        unreadable=refused or record.reason,
        others=others,
        apart=apart,
        methods=tuple(
            _method(store, image, row, selections[row["cell"]])
            for row in rows
            if row["clusterer"] in wanted
        ),
    )


def weights_by_head(
    store: Store, report: ImageReport, *, alone: bool
) -> dict[int, NDArray[np.floating[Any]]]:
    """Weights (n, n) of each head of the layer, or of the map's alone; HarnessError if lost."""
    found = {}
    for head, digest in store.connection.execute(HEADS, vars(report)):
        if alone and head != report.head:
            continue
        if not is_intact(store.maps_folder, digest):
            raise HarnessError(
                f"{store.maps_folder / digest}.npy: the map of layer {report.layer}, head {head} "
                "is missing or damaged"
            )
        found[int(head)] = load_map(store.maps_folder, MapRecord("", digest)).weights
    return found


def _select_cells(
    rows: Sequence[Mapping[str, Any]], filters: Mapping[str, str | int]
) -> tuple[list[Mapping[str, Any]], dict[str, tuple[str, ...]], dict[str, str]]:
    """The cells of one map, graph and repeat, with `others` and `apart` of the report."""
    left, others, apart = list(rows), {}, {}
    for key, column in CELL_KEYS.items():
        values = list(dict.fromkeys(str(row[column]) for row in left))
        chosen = values[0]
        if key in filters:
            chosen = matching_spec(key, str(filters[key]), values)
        elif len(values) > 1:
            others[key] = tuple(value for value in values if value != chosen)
        if len(values) > 1:
            apart[key] = chosen
        left = [row for row in left if str(row[column]) == chosen]
    return left, others, apart


def _image(
    store: Store, image_set: str, image: str
) -> tuple[tuple[int, int, int] | None, int | None, str]:
    """Size and label of an image, which stored maps do not have, and why it is unreadable."""
    row = store.connection.execute(
        "SELECT height, width, channels, label, reason FROM images "
        "WHERE image_set = ? AND image = ?",
        (image_set, image),
    ).fetchone()
    if row is None:
        return None, None, ""
    height, width, channels, label, reason = row
    return None if reason else (height, width, channels), label, reason


def _method(
    store: Store, image: str, row: Mapping[str, Any], selections: Sequence[SelectorReport]
) -> MethodReport:
    status = row["status"] or "missing"
    profile = Profile([]) if row["status"] is None else store.profile(row["cell"])
    control = store.reference_control()
    drawn = noise(store, {**row, "image": image}, control, len(profile))
    name, reason = row["clusterer"], row["reason"] or ""
    return MethodReport(name, status, reason, profile, drawn, tuple(selections))


def noise(store: Store, cell: Mapping[str, Any], control: str, levels: int) -> Noise | None:
    """A control's draws for the map of an observed cell, which has so many levels.

    cell: its image, and the columns of `cells_of_image`. None if a draw lacks a level, or none was
    drawn.
    """
    found = store.connection.execute(NOISE, {**cell, "control": control}).fetchall()
    # A profile that ended early cannot be compared with noise level by level.
    if not found or len(found) != levels:
        return None
    draws, *columns = zip(*found, strict=True)
    figures = [np.array(column, dtype=np.float64) for column in columns]
    return Noise(control, max(draws), *figures)


def _selections(store: Store, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[SelectorReport]]:
    """What every selector chose in some cells, by cell."""
    cells = json.dumps([row["cell"] for row in rows])
    among = "WHERE cell IN (SELECT value FROM json_each(?))"
    reference = store.reference_control()
    p_values = by_selection(store, f"SELECT cell, selector, control, p FROM tests {among}", cells)
    jaccards = by_selection(
        store, f"SELECT cell, selector, kind, jaccard FROM stabilities {among}", cells
    )
    found: dict[str, list[SelectorReport]] = {row["cell"]: [] for row in rows}
    for cell, selector, ok, candidate, accepted, first, last, reason in store.connection.execute(
        "SELECT cell, selector, status = 'ok', candidate, accepted, plateau_first, plateau_last, "
        f"reason FROM selections {among} ORDER BY selector",
        (cells,),
    ):
        key = cell, selector
        found[cell].append(
            SelectorReport(
                selector,
                candidate if ok else None,
                bool(accepted),
                None if first is None else (first, last),
                reason,
                p_values.get(key, {}).get(reference),
                jaccards.get(key, {}),
            )
        )
    return found
