"""Reads and writes a run's tables.

Only the coordinator writes, one transaction a finished piece of work. NaN is stored as NULL.
"""

import json
import math
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import HarnessError
from harness.planning.plan import PlannedCell, SurveyedImage
from harness.plugin.profile import Point, Profile
from harness.plugin.values import HeadIndex, Integers, Variant
from harness.store.records import CellRecord, MapRecord, MissingCell
from harness.store.schema import FIGURES, MAPS_FOLDER, UNDEFINED_AS_NULL

# Columns of `planned` that hold spellings of components.
COMPONENT_COLUMNS = ("clusterer", "graph", "extractor", "control", "image_set")
# Those without which there would be other maps.
MAP_COLUMNS = ("extractor", "control", "image_set")
# Planned cells without a record, each once: images of equal pixels share theirs.
MISSING = """
FROM planned LEFT JOIN maps USING (map)
WHERE NOT EXISTS (SELECT 1 FROM cells WHERE cells.cell = planned.cell)
AND NOT EXISTS (
    SELECT 1 FROM planned AS earlier
    WHERE earlier.cell = planned.cell AND earlier.position < planned.position
)
"""


@dataclass(frozen=True)
class Timing:
    """What a cell of a clusterer on a graph builder's graphs took: mean seconds a level."""

    graph: str
    clusterer: str
    seconds: float


class Computed(Set[str]):
    """Keys of cells that have a record, or of those that are ok; looked up in the file."""

    def __init__(self, connection: sqlite3.Connection, *, ok: bool) -> None:
        self._connection = connection
        self._which = "status = 'ok'" if ok else "true"

    def __contains__(self, cell: object) -> bool:
        query = f"SELECT 1 FROM cells WHERE cell = ? AND {self._which}"
        return self._connection.execute(query, (cell,)).fetchone() is not None

    def __iter__(self) -> Iterator[str]:
        query = f"SELECT cell FROM cells WHERE {self._which}"
        return (key for (key,) in self._connection.execute(query))

    def __len__(self) -> int:
        query = f"SELECT count(*) FROM cells WHERE {self._which}"
        (count,) = self._connection.execute(query).fetchone()
        return int(count)


class Store:
    """The store of one run folder. Use `open_for_writing` or `open_for_reading`."""

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self.connection = connection

    @property
    def maps_folder(self) -> Path:
        """Where the weights of maps are kept, each as <digest>.npy."""
        return self.folder / MAPS_FOLDER

    def write_plan(
        self,
        settings: Mapping[str, Any],
        session: Mapping[str, Any],
        images: Iterable[SurveyedImage],
        cells: Iterable[PlannedCell],
    ) -> None:
        """Replace settings, images and planned cells, and add a session.

        What is computed stays. A session is what is known of one execution: environment,
        source, invocation.
        """
        with self.connection:
            for table in ("settings", "images", "planned"):
                self.connection.execute(f"DELETE FROM {table}")
            self.connection.execute(
                "INSERT INTO settings VALUES (?)", (json.dumps(settings, sort_keys=True),)
            )
            self.connection.execute(
                "INSERT INTO sessions (value) VALUES (?)", (json.dumps(session, sort_keys=True),)
            )
            self.connection.executemany(
                "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        image.image_set, image.key, image.digest, image.height, image.width,
                        image.channels, image.label, image.reason,
                    )
                    for image in images
                ),
            )  # fmt: skip
            self._plan(cells, 0)

    def extend_plan(self, cells: Iterable[PlannedCell]) -> None:
        """Plan these cells after those that are planned."""
        (planned,) = self.connection.execute("SELECT count(*) FROM planned").fetchone()
        with self.connection:
            self._plan(cells, planned)

    def _plan(self, cells: Iterable[PlannedCell], first: int) -> None:
        self.connection.executemany(
            f"INSERT INTO planned VALUES ({', '.join('?' * 17)})",
            (
                (
                    position, cell.key, cell.map.key, cell.map.image_set, cell.map.image,
                    cell.map.extractor, cell.map.head_index.layer, cell.map.head_index.head,
                    cell.map.variant.role, cell.map.variant.name, cell.map.variant.draw,
                    cell.map.observed, cell.graph, cell.clusterer, cell.repeat, cell.seed,
                    cell.point,
                )
                for position, cell in enumerate(cells, first)
            ),
        )  # fmt: skip

    def settings(self) -> dict[str, Any]:
        """The settings of the latest plan.

        Raises HarnessError if nothing was planned yet.
        """
        row = self.connection.execute("SELECT value FROM settings").fetchone()
        if row is None:
            raise HarnessError(f"{self.folder}: nothing was planned there yet")
        return dict(json.loads(row[0]))

    def change_settings(self, settings: Mapping[str, Any]) -> None:
        """Replace the settings of the latest plan by others that plan the same cells."""
        with self.connection:
            self.connection.execute(
                "UPDATE settings SET value = ?", (json.dumps(settings, sort_keys=True),)
            )

    def sessions(self) -> list[dict[str, Any]]:
        """What is known of each execution, the latest last."""
        rows = self.connection.execute("SELECT value FROM sessions ORDER BY session")
        return [json.loads(value) for (value,) in rows]

    def computed(self, *, ok: bool = False) -> Computed:
        """Keys of the cells that have a record, whatever it says; with `ok`, of those that are."""
        return Computed(self.connection, ok=ok)

    def count_missing(self) -> int:
        """How many planned cells have no record."""
        (count,) = self.connection.execute(f"SELECT count(*) {MISSING}").fetchone()
        return int(count)

    def missing(self, after: int, count: int) -> list[MissingCell]:
        """The next planned cells without a record, at most `count`, after a position of the plan.

        Each comes with the record of its map, or without where there is none yet.
        """
        rows = self.connection.execute(
            "SELECT position, cell, map, image, layer, head, role, control, draw, graph, "
            "clusterer, seed, point, maps.map, digest, nodes, grid_rows, grid_columns, "
            "region_top, region_left, region_height, region_width, reason "
            f"{MISSING} AND position > ? ORDER BY position LIMIT ?",
            (after, count),
        )
        return [_missing_cell(row) for row in rows]

    def maps_needed(self) -> set[str]:
        """Keys of the maps of cells that have no record, and of those that they alter."""
        rows = self.connection.execute(f"SELECT DISTINCT planned.map, observed {MISSING}")
        return {key for row in rows for key in row if key}

    def timings(self) -> list[Timing]:
        """What the planned cells that are ok took."""
        return [
            Timing(*row)
            for row in self.connection.execute(
                "SELECT graph, clusterer, "
                "avg(cells.seconds / (SELECT count(*) FROM points WHERE points.cell = cells.cell)) "
                "FROM planned JOIN cells USING (cell) WHERE status = 'ok' GROUP BY 1, 2"
            )
        ]

    def maps(self) -> dict[str, MapRecord]:
        """All maps that have a record, by key."""
        return {row[0]: _map_record(row) for row in self.connection.execute("SELECT * FROM maps")}

    def map(self, key: str) -> MapRecord | None:
        """The record of one map, if there is one."""
        row = self.connection.execute("SELECT * FROM maps WHERE map = ?", (key,)).fetchone()
        return None if row is None else _map_record(row)

    def write_maps(self, maps: Iterable[MapRecord]) -> None:
        """Record extracted maps, or why they could not be had."""
        with self.connection:
            self._write_maps(maps)

    def _write_maps(self, maps: Iterable[MapRecord]) -> None:
        self.connection.executemany(
            f"INSERT OR REPLACE INTO maps VALUES ({', '.join('?' * 12)})",
            (
                (
                    stored.key, stored.digest, stored.nodes, *(stored.grid or (None, None)),
                    None if stored.truth is None else json.dumps(stored.truth),
                    *(stored.region or (None,) * 4), stored.reason, stored.detail,
                )
                for stored in maps
            ),
        )  # fmt: skip

    def write_cells(self, records: Iterable[CellRecord]) -> None:
        """Record what became of cells, with their points."""
        with self.connection:
            for record in records:
                self._write_cell(record)

    def _write_cell(self, record: CellRecord) -> None:
        nodes = len(record.points[0].labels) if record.points else 0
        labels = np.array([point.labels for point in record.points], dtype="<i2")
        self.connection.execute(
            "INSERT OR REPLACE INTO cells VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.key, record.status, record.reason, record.detail, record.seconds,
                record.peak_memory, nodes, zlib.compress(labels.tobytes()),
            ),
        )  # fmt: skip
        self.connection.execute("DELETE FROM points WHERE cell = ?", (record.key,))
        self.connection.executemany(
            f"INSERT INTO points VALUES (?, ?, {', '.join('?' * len(FIGURES))}, ?, ?)",
            (
                (
                    record.key,
                    index,
                    *(none_for_nan(getattr(point, figure)) for figure in FIGURES),
                    json.dumps(_finite(point.diagnostics), sort_keys=True),
                    json.dumps(point.warnings),
                )
                for index, point in enumerate(record.points)
            ),
        )

    def forget_failures(self) -> int:
        """Remove the records of maps and cells that are not ok; returns how many cells."""
        with self.connection:
            self.connection.execute("DELETE FROM maps WHERE reason <> ''")
            self.connection.execute(
                "DELETE FROM points WHERE cell IN (SELECT cell FROM cells WHERE status <> 'ok')"
            )
            return self.connection.execute("DELETE FROM cells WHERE status <> 'ok'").rowcount

    def forget_cells(self, keys: Iterable[str]) -> None:
        """Remove the records of these cells."""
        named = [(key,) for key in keys]
        with self.connection:
            for table in ("points", "cells"):
                self.connection.executemany(f"DELETE FROM {table} WHERE cell = ?", named)

    def forget_components(self, spellings: Iterable[str]) -> int:
        """Remove the records of the planned cells that components so spelled had a part in.

        Where they had a part in maps, those are forgotten too. Returns how many cells.
        """
        before = len(self.computed())
        with self.connection:
            for text in spellings:
                for column in COMPONENT_COLUMNS:
                    of_it = f"FROM planned WHERE {column} = ?"
                    for table in ("points", "cells"):
                        self.connection.execute(
                            f"DELETE FROM {table} WHERE cell IN (SELECT cell {of_it})", (text,)
                        )
                    if column in MAP_COLUMNS:
                        self.connection.execute(
                            f"DELETE FROM maps WHERE map IN (SELECT map {of_it})", (text,)
                        )
        return before - len(self.computed())

    def statuses(self) -> dict[str, int]:
        """How many planned cells have each status; "missing" is no record yet."""
        return dict(
            self.connection.execute(
                "SELECT coalesce(status, 'missing') AS status, count(*) "
                "FROM planned LEFT JOIN cells USING (cell) GROUP BY 1 ORDER BY 1"
            )
        )

    def controls(self) -> list[str]:
        """The controls that the plan draws, by name."""
        return [
            name
            for (name,) in self.connection.execute(
                "SELECT control FROM planned WHERE role = 'control' "
                "GROUP BY control ORDER BY min(position)"
            )
        ]

    def labels(self, cell: str) -> Integers:
        """Labels (points, nodes) of a cell."""
        nodes, blob = self.connection.execute(
            "SELECT nodes, labels FROM cells WHERE cell = ?", (cell,)
        ).fetchone()
        flat = np.frombuffer(zlib.decompress(blob), dtype="<i2").astype(np.int64)
        return flat.reshape(-1, nodes) if nodes else flat.reshape(0, 0)

    def profile(self, cell: str) -> Profile:
        """The points of a cell; an empty profile if it has none."""
        rows = self.connection.execute(
            f"SELECT {', '.join(FIGURES)}, diagnostics, warnings FROM points "
            "WHERE cell = ? ORDER BY point",
            (cell,),
        ).fetchall()
        labels = self.labels(cell)
        points = []
        for index, (*figures, diagnostics, warnings) in enumerate(rows):
            values = dict(zip(FIGURES, figures, strict=True))
            for name in UNDEFINED_AS_NULL:
                values[name] = math.nan if values[name] is None else values[name]
            points.append(
                Point(
                    **values,
                    labels=labels[index],
                    diagnostics=_nan_for_null(json.loads(diagnostics)),
                    warnings=tuple(json.loads(warnings)),
                )
            )
        return Profile(points)


def none_for_nan(value: float) -> float | None:
    """None for what is undefined, which is NULL in the file."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _finite(figures: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no word for what is not finite but null."""
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def _nan_for_null(figures: Mapping[str, float | None]) -> dict[str, float]:
    return {name: math.nan if value is None else value for name, value in figures.items()}


def _map_record(row: tuple[Any, ...]) -> MapRecord:
    key, digest, nodes, rows, columns, truth, *region, reason, detail = row
    communities = None if truth is None else tuple(json.loads(truth))
    return MapRecord(
        key, digest, nodes, _all((rows, columns)), communities, _all(region), reason, detail
    )


def _all(values: Sequence[Any]) -> tuple[Any, ...] | None:
    """The values as they stand in the file, None where they are NULL."""
    return None if values[0] is None else tuple(values)


def _missing_cell(row: tuple[Any, ...]) -> MissingCell:
    (
        position, key, map_key, image, layer, head, role, control, draw, graph, clusterer, seed,
        point, known, digest, nodes, rows, columns, *region, reason,
    ) = row  # fmt: skip
    return MissingCell(
        position,
        key,
        image,
        HeadIndex(layer, head),
        Variant(role, control, draw),
        graph,
        clusterer,
        seed,
        point,
        MapRecord(map_key, digest, nodes, _all((rows, columns)), region=_all(region), reason=reason)
        if known
        else None,
    )
