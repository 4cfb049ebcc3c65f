"""Reads and writes the tables of a run: its plan, maps and cells.

Only the coordinator writes, in one transaction per finished piece of work. SQLite stores NaN as
NULL.
"""

import json
import math
import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from harness.errors import HarnessError
from harness.planning.plan import PlannedCell
from harness.planning.survey import MapRecord, SurveyedImage
from harness.plugin.profile import Point, Profile
from harness.plugin.values import Integers
from harness.store.records import CellRecord, point_row
from harness.store.schema import FIGURES, LABEL, MAPS_FOLDER, OF_LABELS, SELECTED

# The columns of `planned` that hold specs of components, and those of them that determine the map.
COMPONENT_COLUMNS = ("clusterer", "graph", "extractor", "control", "image_set")
MAP_COLUMNS = ("extractor", "control", "image_set")


class Store:
    """The store of one run folder. Use `open_for_writing` or `open_for_reading`.

    sweeps: the table with the seconds of all levels of a cell. A published run may have the points
    of few levels, and so another table; see `harness.store.published`.
    """

    sweeps = "points"

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self.connection = connection
        self._selectors: tuple[str, ...] | None = None
        self._parameters: dict[str, str] = {}

    @property
    def maps_folder(self) -> Path:
        """The folder of the maps' weights, each in <digest>.npy; see `check_maps`."""
        self.check_maps()
        return self.folder / MAPS_FOLDER

    def check_maps(self) -> None:
        """Raise HarnessError if the run has no attention maps."""

    def rows(
        self, query: str, parameters: Mapping[str, Any] | tuple[Any, ...] = ()
    ) -> sqlite3.Cursor:
        """Run a query; its rows are read by column name."""
        cursor = self.connection.cursor()
        cursor.row_factory = sqlite3.Row
        return cursor.execute(query, parameters)

    def count(self, query: str) -> int:
        """Run a query for a single number."""
        (count,) = self.connection.execute(query).fetchone()
        return int(count)

    def insert(
        self, table: str, rows: Iterable[Mapping[str, Any]], *, replace: bool = False
    ) -> None:
        """Insert rows, each a mapping of all columns of the table to values."""
        verb = "INSERT OR REPLACE" if replace else "INSERT"
        self.connection.executemany(f"{verb} INTO {table} VALUES ({self._values(table)})", rows)

    def _values(self, table: str) -> str:
        """The columns of a table, as parameters of a query."""
        if table not in self._parameters:
            columns = self.connection.execute(f"PRAGMA table_info({table})")
            self._parameters[table] = ", ".join(f":{name}" for _, name, *_ in columns)
        return self._parameters[table]

    def write_plan(
        self,
        settings: Mapping[str, Any],
        session: Mapping[str, Any],
        images: Iterable[SurveyedImage],
        cells: Iterable[PlannedCell],
    ) -> None:
        """Replace settings, images and planned cells, and add a session: one execution."""
        with self.connection:
            for table in ("settings", "images", "planned"):
                self.connection.execute(f"DELETE FROM {table}")
            self.insert("settings", [{"value": json.dumps(settings, sort_keys=True)}])
            described = {"session": None, "value": json.dumps(session, sort_keys=True)}
            self.insert("sessions", [described])
            self.insert("images", ({**vars(image), "image": image.key} for image in images))
            self.insert("planned", map(_planned_row, cells))

    def extend_plan(self, cells: Iterable[PlannedCell]) -> None:
        """Append cells to the plan."""
        with self.connection:
            self.insert("planned", map(_planned_row, cells))

    def is_planned(self) -> bool:
        """Whether there is a plan; there is none before the first survey is over."""
        return bool(self.count("SELECT count(*) FROM settings"))

    def settings(self) -> dict[str, Any]:
        """The settings of the latest plan; raises HarnessError if there is no plan."""
        row = self.connection.execute("SELECT value FROM settings").fetchone()
        if row is None:
            raise HarnessError(f"{self.folder}: nothing was planned there yet")
        return dict(json.loads(row[0]))

    @property
    def selectors(self) -> tuple[str, ...]:
        """The selectors whose selections are read: by default those of the plan."""
        return self._selectors or tuple(self.settings()["selectors"])

    def known_selectors(self) -> list[str]:
        """The selectors of the plan, then those that were applied besides."""
        rows = self.connection.execute(
            "SELECT DISTINCT selector FROM main.selections ORDER BY selector"
        )
        return list(dict.fromkeys([*self.settings()["selectors"], *(name for (name,) in rows)]))

    def show_selectors(self, selectors: Iterable[str]) -> None:
        """From now on read only what these selectors selected; `main.selections` has all."""
        self._selectors = tuple(selectors)
        if set(self.known_selectors()) <= set(self._selectors):
            return
        with self.connection:
            self.connection.execute("CREATE TEMP TABLE shown (selector TEXT PRIMARY KEY)")
            self.insert("shown", ({"selector": selector} for selector in self._selectors))
            for table in SELECTED:
                self.connection.execute(
                    f"CREATE TEMP VIEW {table} AS SELECT * FROM main.{table} "
                    "WHERE selector IN (SELECT selector FROM shown)"
                )

    def sessions(self) -> list[dict[str, Any]]:
        """The descriptions of all executions, the latest last."""
        rows = self.connection.execute("SELECT value FROM sessions ORDER BY session")
        return [json.loads(value) for (value,) in rows]

    def change_session(self, changes: Mapping[str, Any]) -> None:
        """Replace some values of the latest execution's description."""
        changed = json.dumps({**self.sessions()[-1], **changes}, sort_keys=True)
        with self.connection:
            self.connection.execute(
                "UPDATE sessions SET value = ? WHERE session = (SELECT max(session) FROM sessions)",
                (changed,),
            )

    def is_computed(self, cell: str, *, ok: bool = False) -> bool:
        """Whether a cell has a record of any status, or one that is ok."""
        query = "SELECT 1 FROM cells WHERE cell = ? AND (status = 'ok' OR NOT ?)"
        return self.connection.execute(query, (cell, ok)).fetchone() is not None

    def outcome(self, cell: str) -> tuple[str, str] | None:
        """The status and reason of a cell, None if it has no record."""
        query = "SELECT status, reason FROM cells WHERE cell = ?"
        return cast("tuple[str, str] | None", self.connection.execute(query, (cell,)).fetchone())

    def has_maps(self) -> bool:
        """Whether there is any map of the plan."""
        return bool(
            self.count(
                "SELECT EXISTS (SELECT 1 FROM planned JOIN maps USING (map) WHERE reason = '')"
            )
        )

    def maps(self) -> dict[str, MapRecord]:
        """The records of all maps, by key."""
        return {row["map"]: MapRecord.from_row(row) for row in self.rows("SELECT * FROM maps")}

    def map(self, key: str) -> MapRecord | None:
        """The record of a map, None if there is none."""
        row = self.rows("SELECT * FROM maps WHERE map = ?", (key,)).fetchone()
        return None if row is None else MapRecord.from_row(row)

    def write_maps(self, maps: Iterable[MapRecord]) -> None:
        """Write records of maps."""
        with self.connection:
            self.insert("maps", (record.to_row() for record in maps), replace=True)

    def write_cells(self, records: Iterable[CellRecord]) -> None:
        """Write records of cells, with their points."""
        with self.connection:
            self.add_cells(records)

    def add_cells(self, records: Iterable[CellRecord]) -> None:
        """Write records of cells, for this process to read; `save` makes them last."""
        try:
            for record in records:
                self._write_cell(record)
        except BaseException:
            # Else a part of a cell could be saved.
            self.connection.rollback()
            raise

    def save(self) -> None:
        """Commit what was added, which waits for the disk."""
        self.connection.commit()

    def _write_cell(self, record: CellRecord) -> None:
        nodes = len(record.points[0].labels) if record.points else 0
        labels = np.array([point.labels for point in record.points], dtype=LABEL)
        # Fast: the default takes ten times as long to save a seventh more.
        blob = zlib.compress(labels.tobytes(), 1)
        row = {**vars(record), "cell": record.key, "nodes": nodes, "labels": blob}
        self.insert("cells", [row], replace=True)
        for table in OF_LABELS:
            self.connection.execute(f"DELETE FROM {table} WHERE cell = ?", (record.key,))
        self.insert(
            "points",
            (point_row(record.key, index, point) for index, point in enumerate(record.points)),
        )

    def delete_failures(self) -> None:
        """Delete the records of maps and cells that are not ok."""
        with self.connection:
            self.connection.execute("DELETE FROM maps WHERE reason <> ''")
            self._delete("status <> 'ok'")

    def delete_cells(self, keys: Iterable[str]) -> None:
        """Delete the records of these cells."""
        with self.connection:
            for key in keys:
                self._delete("cell = ?", key)

    def delete_components(self, specs: Iterable[str]) -> None:
        """Delete the records of all planned cells and of maps that components took part in."""
        with self.connection:
            for spec in specs:
                for column in COMPONENT_COLUMNS:
                    planned = f"FROM planned WHERE {column} = ?"
                    self._delete(f"cell IN (SELECT cell {planned})", spec)
                    if column in MAP_COLUMNS:
                        self.connection.execute(
                            f"DELETE FROM maps WHERE map IN (SELECT map {planned})", (spec,)
                        )

    def _delete(self, condition: str, *parameters: str) -> None:
        """Delete the records of the cells that meet a condition."""
        for table in OF_LABELS:
            self.connection.execute(
                f"DELETE FROM {table} WHERE cell IN (SELECT cell FROM cells WHERE {condition})",
                parameters,
            )
        self.connection.execute(f"DELETE FROM cells WHERE {condition}", parameters)

    def statuses(self) -> dict[str, int]:
        """The number of planned cells by status, "missing" for those without a record."""
        return dict(
            self.connection.execute(
                "SELECT coalesce(status, 'missing') AS status, count(*) "
                "FROM planned LEFT JOIN cells USING (cell) GROUP BY 1 ORDER BY 1"
            )
        )

    def controls(self) -> list[str]:
        """The specs of the planned controls, the reference first, those without any map last."""
        rows = self.connection.execute(
            "SELECT control FROM planned LEFT JOIN maps USING (map) WHERE role = 'control' "
            "GROUP BY control ORDER BY ifnull(min(reason <> ''), 0), min(position)"
        )
        return [control for (control,) in rows]

    def reference_control(self) -> str:
        """The spec of the control that methods are compared with, "" if there is none."""
        return next(iter(self.controls()), "")

    def labels(self, cell: str) -> Integers:
        """The labels of a cell, (points, nodes)."""
        nodes, blob = self.stored_labels(cell)
        flat = np.frombuffer(zlib.decompress(blob), dtype=LABEL).astype(np.int64)
        return flat.reshape(-1, nodes) if nodes else flat.reshape(0, 0)

    def is_whole(self, cell: str) -> bool:
        """Whether the points and labels of a cell are there for all levels that it has."""
        return True

    def check_whole(self, cell: str) -> None:
        """Raise HarnessError unless the points and labels of a cell are there for all levels."""

    def labels_by_point(self, cell: str) -> Mapping[int, Integers]:
        """The labels (nodes,) of a cell at every level that has some, by the level's number."""
        return dict(enumerate(self.labels(cell)))

    def labels_at(self, cell: str, point: int) -> Integers:
        """The labels (nodes,) of a cell at one level, given by its number."""
        found: Integers = self.labels(cell)[point]
        return found

    def stored_labels(self, cell: str) -> tuple[int, bytes]:
        """The number of nodes of a cell, and its labels as they are stored."""
        nodes, blob = self.connection.execute(
            "SELECT nodes, labels FROM cells WHERE cell = ?", (cell,)
        ).fetchone()
        return nodes, blob

    def profile(self, cell: str) -> Profile:
        """The points of a cell; an empty profile if it has none."""
        rows = self.rows("SELECT * FROM points WHERE cell = ? ORDER BY point", (cell,)).fetchall()
        return Profile(
            [
                Point(
                    **_nan_for_null({name: row[name] for name in FIGURES}),
                    labels=labels,
                    diagnostics=_nan_for_null(json.loads(row["diagnostics"])),
                    warnings=tuple(json.loads(row["warnings"])),
                )
                for row, labels in zip(rows, self.labels(cell), strict=True)
            ]
        )


def none_for_nan(value: float) -> float | None:
    """None for NaN, which JSON does not have."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _nan_for_null(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {name: math.nan if value is None else value for name, value in figures.items()}


def _planned_row(cell: PlannedCell) -> dict[str, Any]:
    source = cell.map
    # SQLite fills in the next position.
    return {
        "position": None, "cell": cell.key, "map": source.key, "image_set": source.image_set,
        "image": source.image, "extractor": source.extractor, **vars(source.head_index),
        "role": source.variant.role,
        "control": source.variant.name, "draw": source.variant.draw, "observed": source.observed,
        "graph": cell.graph, "clusterer": cell.clusterer, "repeat": cell.repeat, "seed": cell.seed,
        "point": cell.point,
    }  # fmt: skip
