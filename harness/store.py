"""One SQLite file a run: what was planned, what was computed, what was selected.

The schema is in SCHEMA, its version in SQLite's user_version; ARCHITECTURE.md explains it.
Only the coordinator writes, one transaction a finished piece of work. NaN is stored as NULL.
"""

import contextlib
import fcntl
import json
import math
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import HarnessError
from harness.plan import Plan, SurveyedImage
from harness.records import CellRecord, SelectionRecord, StoredMap
from harness.values import Integers, Point, Profile

FILE_NAME = "run.sqlite"
LOCK_NAME = "run.lock"
MAPS_FOLDER = "maps"
SCHEMA_VERSION = 1
# "ahrn", in SQLite's header of the file.
APPLICATION_ID = 0x6168726E
# Labels are kept as 16-bit integers.
LARGEST_MAP = 2**15 - 1

SCHEMA = """
CREATE TABLE settings (value TEXT NOT NULL);
CREATE TABLE sessions (session INTEGER PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE images (
    image_set TEXT NOT NULL, image TEXT NOT NULL, digest TEXT NOT NULL,
    height INTEGER NOT NULL, width INTEGER NOT NULL, channels INTEGER NOT NULL,
    label INTEGER, reason TEXT NOT NULL,
    PRIMARY KEY (image_set, image)
);
CREATE TABLE planned (
    position INTEGER PRIMARY KEY, cell TEXT NOT NULL, map TEXT NOT NULL,
    image_set TEXT NOT NULL, image TEXT NOT NULL, extractor TEXT NOT NULL,
    layer INTEGER NOT NULL, head INTEGER NOT NULL,
    role TEXT NOT NULL, control TEXT NOT NULL, draw INTEGER NOT NULL, observed TEXT NOT NULL,
    graph TEXT NOT NULL, clusterer TEXT NOT NULL, repeat INTEGER NOT NULL
);
CREATE INDEX planned_by_cell ON planned (cell);
CREATE INDEX planned_by_observed ON planned (observed);
CREATE TABLE maps (
    map TEXT PRIMARY KEY, digest TEXT NOT NULL, nodes INTEGER NOT NULL,
    grid_rows INTEGER, grid_columns INTEGER, reason TEXT NOT NULL, detail TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE cells (
    cell TEXT PRIMARY KEY, status TEXT NOT NULL, reason TEXT NOT NULL, detail TEXT NOT NULL,
    seconds REAL NOT NULL, peak_memory INTEGER, nodes INTEGER NOT NULL, labels BLOB NOT NULL
);
CREATE TABLE points (
    cell TEXT NOT NULL, point INTEGER NOT NULL, level REAL NOT NULL, threshold REAL NOT NULL,
    density REAL NOT NULL, modularity REAL, modularity_full REAL, n_clusters INTEGER NOT NULL,
    coverage REAL NOT NULL, giant_share REAL NOT NULL, isolated_share REAL NOT NULL,
    jaccard_previous REAL, seconds REAL NOT NULL, diagnostics TEXT NOT NULL,
    warnings TEXT NOT NULL,
    PRIMARY KEY (cell, point)
) WITHOUT ROWID;
CREATE TABLE selections (
    cell TEXT NOT NULL, selector TEXT NOT NULL, candidate INTEGER, statistic REAL,
    accepted INTEGER NOT NULL, plateau_first INTEGER, plateau_last INTEGER,
    status TEXT NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (cell, selector)
) WITHOUT ROWID;
"""
# The columns of `points` that are plain numbers of a Point, in the order of both.
FIGURES = (
    "level", "threshold", "density", "modularity", "modularity_full", "n_clusters", "coverage",
    "giant_share", "isolated_share", "jaccard_previous", "seconds",
)  # fmt: skip
UNDEFINED_AS_NULL = ("modularity", "modularity_full", "jaccard_previous")


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
        plan: Plan,
        maps: Iterable[StoredMap],
    ) -> None:
        """Replace settings, images and planned cells, add a session and the maps at hand.

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
            self.connection.executemany(
                "INSERT INTO planned VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    (
                        position, cell.key, cell.map.key, cell.map.image_set, cell.map.image,
                        cell.map.extractor, cell.map.slot.layer, cell.map.slot.head,
                        cell.map.variant.role, cell.map.variant.name, cell.map.variant.draw,
                        cell.map.observed, cell.graph, cell.clusterer, cell.repeat,
                    )
                    for position, cell in enumerate(plan.cells)
                ),
            )  # fmt: skip
            self._write_maps(maps)

    def settings(self) -> dict[str, Any]:
        """The settings of the latest plan.

        Raises HarnessError if nothing was planned yet.
        """
        row = self.connection.execute("SELECT value FROM settings").fetchone()
        if row is None:
            raise HarnessError(f"{self.folder}: nothing was planned there yet")
        return dict(json.loads(row[0]))

    def sessions(self) -> list[dict[str, Any]]:
        """What is known of each execution, the latest last."""
        rows = self.connection.execute("SELECT value FROM sessions ORDER BY session")
        return [json.loads(value) for (value,) in rows]

    def computed(self) -> set[str]:
        """Keys of the cells that have a record, whatever it says."""
        return {key for (key,) in self.connection.execute("SELECT cell FROM cells")}

    def maps(self) -> dict[str, StoredMap]:
        """All maps that have a record, by key."""
        return {
            key: StoredMap(key, digest, nodes, (rows, columns) if rows else None, reason, detail)
            for key, digest, nodes, rows, columns, reason, detail in self.connection.execute(
                "SELECT * FROM maps"
            )
        }

    def write_maps(self, maps: Iterable[StoredMap]) -> None:
        """Record extracted maps, or why they could not be had."""
        with self.connection:
            self._write_maps(maps)

    def _write_maps(self, maps: Iterable[StoredMap]) -> None:
        self.connection.executemany(
            "INSERT OR REPLACE INTO maps VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (
                    stored.key, stored.digest, stored.nodes, *(stored.grid or (None, None)),
                    stored.reason, stored.detail,
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
                    *(_null_for_nan(getattr(point, figure)) for figure in FIGURES),
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

    def statuses(self) -> dict[str, int]:
        """How many planned cells have each status; "missing" is no record yet."""
        return dict(
            self.connection.execute(
                "SELECT coalesce(status, 'missing') AS status, count(*) "
                "FROM planned LEFT JOIN cells USING (cell) GROUP BY 1 ORDER BY 1"
            )
        )

    def failed_selections(self) -> int:
        """How many selections failed."""
        query = "SELECT count(*) FROM selections WHERE status <> 'ok'"
        (count,) = self.connection.execute(query).fetchone()
        return int(count)

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

    def replace_selections(self, records: Iterable[SelectionRecord]) -> None:
        """Keep these selections and no others: they are derived, never resumed."""
        with self.connection:
            self.connection.execute("DELETE FROM selections")
            self.connection.executemany(
                "INSERT INTO selections VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [_selection_row(record) for record in records],
            )

    def groups(self) -> list[tuple[list[str], list[str]]]:
        """Cells that are ok and planned, as (observed, controls) of every group.

        A group is what one method did with one slot of one extractor over all images whose maps
        are of one size: builders may choose levels by it.
        """
        grouped: dict[tuple[Any, ...], tuple[list[str], list[str]]] = {}
        for cell, role, *group in self.connection.execute(
            "SELECT DISTINCT cell, role, extractor, layer, head, nodes, graph, clusterer "
            "FROM planned JOIN cells USING (cell) WHERE status = 'ok' ORDER BY position"
        ):
            observed, controls = grouped.setdefault(tuple(group), ([], []))
            (observed if role == "observed" else controls).append(cell)
        return list(grouped.values())


def check_place(folder: Path) -> None:
    """Raise HarnessError if a run's folder can be seen to be no place to write to."""
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise HarnessError(f"{folder}: cannot be written: {nearest} is not a folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise HarnessError(f"{folder}: cannot be written: no permission for {nearest}")


@contextmanager
def open_for_writing(folder: Path) -> Iterator[Store]:
    """The store of a run folder, made if it is not there, for one process at a time.

    Raises HarnessError if the folder cannot be written, is in use, or holds something else.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MAPS_FOLDER).mkdir(exist_ok=True)
        lock = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise HarnessError(f"{folder}: cannot be written: {error.strerror}") from error
    except ValueError as error:
        raise HarnessError(f"{folder}: no name of a folder: {error}") from error
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise HarnessError(f"{folder}: another process is running in this folder") from error
        path = folder / FILE_NAME
        connection = _connect(path, "rwc")
        try:
            _check_schema(connection, path, create=True)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            yield Store(folder, connection)
        except sqlite3.DatabaseError as error:
            raise HarnessError(f"{path}: {error}") from error
        finally:
            # A run at rest is one file, readable from a folder that cannot be written.
            with contextlib.suppress(sqlite3.Error):
                connection.execute("PRAGMA journal_mode = DELETE")
            connection.close()
    finally:
        os.close(lock)


@contextmanager
def open_for_reading(folder: Path) -> Iterator[Store]:
    """The store of a run folder, read-only; a run may be going on in it.

    Raises HarnessError if there is no run, or one of another version.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        raise HarnessError(f"{folder}: no run is there ({FILE_NAME} is missing)")
    connection = _connect(path, "ro")
    try:
        _check_schema(connection, path)
        yield Store(folder, connection)
    except sqlite3.DatabaseError as error:
        raise HarnessError(f"{path}: {error}") from error
    finally:
        connection.close()


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    try:
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=30)
    except sqlite3.Error as error:
        raise HarnessError(f"{path}: cannot be opened: {error}") from error


def _create(connection: sqlite3.Connection) -> None:
    # One transaction, so that a kill leaves no half-made schema behind.
    connection.executescript(
        f"BEGIN; {SCHEMA} PRAGMA application_id = {APPLICATION_ID};"
        f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
    )


def _check_schema(connection: sqlite3.Connection, path: Path, *, create: bool = False) -> None:
    try:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if create and not tables:
            _create(connection)
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise HarnessError(f"{path}: damaged, or no store of a run: {error}") from error
    if application != APPLICATION_ID:
        raise HarnessError(f"{path}: not the store of a run")
    if version != SCHEMA_VERSION:
        raise HarnessError(
            f"{path}: its schema is version {version}, this harness reads {SCHEMA_VERSION}"
        )


def _null_for_nan(value: float) -> float | None:
    return None if isinstance(value, float) and math.isnan(value) else value


def _finite(figures: Mapping[str, float]) -> dict[str, float | None]:
    """JSON has no word for what is not finite but null."""
    return {name: value if math.isfinite(value) else None for name, value in figures.items()}


def _nan_for_null(figures: Mapping[str, float | None]) -> dict[str, float]:
    return {name: math.nan if value is None else value for name, value in figures.items()}


def _selection_row(record: SelectionRecord) -> tuple[Any, ...]:
    selection = record.selection
    if selection is None:
        return record.cell, record.selector, None, None, 0, None, None, "failed", record.reason
    return (
        record.cell, record.selector, selection.candidate, _null_for_nan(selection.statistic),
        int(selection.accepted), *(selection.plateau or (None, None)), "ok", selection.reason,
    )  # fmt: skip
