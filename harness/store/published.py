"""Reads a published run: checks its files, and makes a store of its tables in a temporary folder.

Whatever is wrong with a file is one line that names it; nothing of a file is run.
"""

import atexit
import json
import os
import shutil
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import HarnessError
from harness.metrics.partition import numbered
from harness.planning.settings import Settings
from harness.plugin.values import Integers
from harness.store.damage import damage
from harness.store.publication import (
    CHECKSUMS,
    DATA,
    FORMAT,
    PROVENANCE,
    PUBLISHED,
    SWEEPS,
    check,
    file_of,
    read_checksums,
    schema_of,
)
from harness.store.publishing import PAGE
from harness.store.schema import FILE_NAME, LABEL, SCHEMA
from harness.store.tables import Store

if TYPE_CHECKING:
    import pyarrow

# The tables of a store that take columns of a published table.
INTO = {
    "images": ("images",),
    "maps": ("maps",),
    "cells": ("planned", "cells", "sweeps"),
    "points": ("points",),
    "selections": ("selections",),
    "tests": ("tests",),
    "stabilities": ("stabilities",),
    "scores": ("scores", "scored_points"),
}
# What columns of the store are called in a published table.
RENAMED = {
    ("planned", "point"): "perturbed_point",
    ("sweeps", "points"): "n_points",
    ("sweeps", "seconds"): "clustering_seconds",
}
# Texts and labels that a published run does not have, or that stand elsewhere in it.
EMPTY = {"detail": "", "labels": zlib.compress(b"")}
# What the values of sessions are that readers look into.
IN_SESSIONS = {
    "environment": dict, "invocation": dict, "source": dict, "fingerprints": dict,
    "caveats": dict, "classes": dict, "objects": dict, "finished": bool, "taken_over": list,
}  # fmt: skip
KEPT_LABELS = "CREATE TEMP TABLE kept_labels (cell TEXT, point INTEGER, labels BLOB)"
# Where tables contradict each other, as readers do not expect: the table at fault, what is wrong,
# and a query that finds it. Maps may have failed after their cells were computed.
CONTRADICTIONS = (
    ("points", "a selected level is missing", """
SELECT 1 FROM selections JOIN cells USING (cell)
LEFT JOIN points ON points.cell = selections.cell AND point = candidate
WHERE candidate IS NOT NULL AND cells.status = 'ok' AND points.cell IS NULL
"""),
    ("maps", "the map of a cell that is ok is missing, or has other patches", """
SELECT 1 FROM planned JOIN cells USING (cell) LEFT JOIN maps USING (map)
WHERE role = 'observed' AND cells.status = 'ok' AND (
    maps.map IS NULL OR maps.reason = '' AND maps.nodes <> cells.nodes
)
"""),
    ("tests", "a test is of a control that was not drawn", """
SELECT 1 FROM tests WHERE control NOT IN (SELECT control FROM planned WHERE role = 'control')
"""),
)  # fmt: skip
UNUSABLE = """
SELECT 1 FROM points WHERE json_type(diagnostics) <> 'object' OR json_type(warnings) <> 'array'
"""


class PublishedStore(Store):
    """The store of a published run, which may have the points of selected levels alone."""

    sweeps = "sweeps"

    def check_maps(self) -> None:
        """A published run has none."""
        raise HarnessError(
            f"{self.folder}: a published run has no attention maps; use the run's own folder"
        )

    def is_whole(self, cell: str) -> bool:
        """As of any store; it counts labels, which draws of a published run may lack."""
        known = self.connection.execute("SELECT points FROM sweeps WHERE cell = ?", (cell,))
        (points,) = known.fetchone()
        return len(super().labels(cell)) == int(points)

    def check_whole(self, cell: str) -> None:
        """As of any store."""
        if not self.is_whole(cell):
            raise HarnessError(
                f"{self.folder}: published with the selected levels alone; this needs all levels: "
                "use the run's own folder, or publish it with --all-levels"
            )

    def labels(self, cell: str) -> Integers:
        """As of any store; HarnessError unless all levels are there."""
        self.check_whole(cell)
        return super().labels(cell)

    def labels_by_point(self, cell: str) -> Mapping[int, Integers]:
        """As of any store."""
        points = self.connection.execute(
            "SELECT point FROM points WHERE cell = ? ORDER BY point", (cell,)
        )
        # Draws have points without labels.
        return dict(zip((point for (point,) in points), super().labels(cell), strict=False))

    def labels_at(self, cell: str, point: int) -> Integers:
        """As of any store; HarnessError if the level was not published."""
        found = self.labels_by_point(cell)
        if point not in found:
            self.check_whole(cell)
        return found[point]


@dataclass(frozen=True)
class _Loaded:
    """The file of the store that was made of a published run, and the version of that run."""

    version: tuple[int, ...]
    file: Path


_LOADED: dict[str, _Loaded] = {}
_LOADING = threading.Lock()


def loaded(folder: Path) -> Path:
    """The file of a store with what a published run holds, made once in a process.

    Raises HarnessError if pyarrow is missing, or if a file is missing, changed or unusable.
    """
    PUBLISHED.check("a published run")
    key = os.path.realpath(folder)
    with _LOADING:
        state = (folder / CHECKSUMS).stat()
        version = (state.st_ino, state.st_mtime_ns, state.st_size)
        if key not in _LOADED or _LOADED[key].version != version:
            scratch = Path(mkdtemp(prefix="harness-published-"))
            atexit.register(shutil.rmtree, scratch, ignore_errors=True)
            _load(folder, scratch / FILE_NAME)
            _LOADED[key] = _Loaded(version, scratch / FILE_NAME)
        return _LOADED[key].file


def _load(folder: Path, target: Path) -> None:
    checksums = read_checksums(folder)
    provenance = _provenance(check(folder, PROVENANCE, checksums))
    paths = {name: check(folder, file_of(name), checksums) for name in DATA}
    with closing(sqlite3.connect(target)) as connection:
        # If the process ends, the file is worth nothing.
        connection.executescript(
            f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN; {SCHEMA} {SWEEPS} COMMIT;"
        )
        connection.execute(KEPT_LABELS)
        _insert_provenance(connection, provenance)
        for name, path in paths.items():
            try:
                _insert(connection, name, path)
            except HarnessError as error:
                raise HarnessError(f"{path}: {error}") from error
            except Exception as error:  # pyarrow, SQLite and wrong values raise many kinds
                reason = " ".join(str(error).split())
                raise HarnessError(
                    f"{path}: not a table of a published run: {type(error).__name__}: {reason}"
                ) from error
        connection.commit()
        for name, wrong, query in CONTRADICTIONS:
            if connection.execute(query).fetchone():
                raise HarnessError(f"{paths[name]}: {wrong}")
        if found := damage(connection):
            raise HarnessError(f"{folder}: its tables are unusable: {found}")


def _provenance(path: Path) -> Mapping[str, Any]:
    """Settings and sessions of a published run; HarnessError if they are not what they should be.

    The paths of plugins are left out: a file from somebody else does not say what to import.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise HarnessError(f"{path}: no JSON: {error}") from error
    version = found.get("format") if isinstance(found, dict) else None
    if version != FORMAT:
        raise HarnessError(
            f"{path}: not of a run that this harness can read (format {version!r}; it reads "
            f"{FORMAT})"
        )
    settings, sessions = found.get("settings"), found.get("sessions")
    if not (isinstance(settings, dict) and _is_settings(settings)):
        raise HarnessError(f"{path}: its settings are not those of a run")
    if not (isinstance(sessions, list) and sessions and all(map(_is_session, sessions))):
        raise HarnessError(f"{path}: its sessions are not those of a run")
    return {
        "settings": settings,
        "sessions": [{**session, "plugins": []} for session in sessions],
    }


def _is_settings(settings: Mapping[str, Any]) -> bool:
    """Whether every setting is there, lists of specs as lists of texts."""
    own = {each.name: each.type for each in fields(Settings)}
    specs = [settings.get(name) for name in ("clusterers", "selectors", "extractors", "controls")]
    return own.keys() <= settings.keys() and all(
        isinstance(each, list) and all(isinstance(spec, str) for spec in each) for each in specs
    )


def _is_session(session: Any) -> bool:
    return (
        isinstance(session, dict)
        and all(isinstance(session.get(name, kind()), kind) for name, kind in IN_SESSIONS.items())
        and all(isinstance(each, dict) for each in session.get("taken_over", []))
    )


def _insert_provenance(connection: sqlite3.Connection, provenance: Mapping[str, Any]) -> None:
    connection.execute("INSERT INTO settings VALUES (?)", (json.dumps(provenance["settings"]),))
    connection.executemany(
        "INSERT INTO sessions VALUES (NULL, ?)",
        ([json.dumps(session)] for session in provenance["sessions"]),
    )


def _insert(connection: sqlite3.Connection, name: str, path: Path) -> None:
    """Insert what a published table holds into the tables of the store."""
    for columns in _pages(name, path):
        if name == "stabilities":
            columns["weakest_cluster"] = _labels_of_numbers(connection, columns)
        if name == "points":
            connection.executemany(
                "INSERT INTO kept_labels VALUES (?, ?, ?)",
                _labelled(columns["cell"], columns["point"], columns["labels"]),
            )
        for table in INTO[name]:
            _insert_into(connection, table, columns)
    if name == "maps":
        _check_maps(connection)
    if name == "points":
        _insert_labels(connection)
        if connection.execute(UNUSABLE).fetchone():
            raise HarnessError("diagnostics or warnings are not what they should be")


def _pages(name: str, path: Path) -> Iterator[dict[str, Sequence[Any]]]:
    """The columns of a table, some rows at a time; lists are bytes as in the store."""
    from pyarrow import parquet

    expected = schema_of(name)
    # Memory-mapped or not, Arrow opens no path that is not UTF-8.
    with path.open("rb") as file, parquet.ParquetFile(file) as found:
        for field in expected:
            index = found.schema_arrow.get_field_index(field.name)
            if index < 0 or found.schema_arrow.field(index).type != field.type:
                raise HarnessError(f"its column {field.name} is missing, or not of {field.type}")
        for batch in found.iter_batches(PAGE, columns=expected.names):
            yield {
                field.name: _lists(batch.column(field.name))
                if field.name in DATA[name].lists
                else batch.column(field.name).to_pylist()
                for field in expected
            }


def _lists(column: "pyarrow.ListArray") -> list[bytes | None]:
    """Lists of numbers as bytes, little-endian as in the store."""
    ends, numbers = column.offsets.to_numpy(), column.values.to_numpy(zero_copy_only=False)
    little = numbers.astype(numbers.dtype.newbyteorder("<"))
    if column.values.null_count:
        raise HarnessError("a number in a list is missing")
    return [
        little[start:end].tobytes() if valid else None
        for start, end, valid in zip(ends, ends[1:], column.is_valid().to_pylist(), strict=False)
    ]


def _labelled(
    cells: Iterable[str], points: Iterable[int], labels: Iterable[bytes | None]
) -> Iterator[tuple[str, int, bytes]]:
    for cell, point, of_point in zip(cells, points, labels, strict=True):
        if of_point is not None:
            yield cell, point, of_point


def _insert_into(
    connection: sqlite3.Connection, table: str, columns: Mapping[str, Sequence[Any]]
) -> None:
    """Insert rows into a table of the store; images of equal pixels share cells, listed once."""
    names = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
    count = len(next(iter(columns.values())))
    values: list[Sequence[Any]] = []
    for name in names:
        if (table, name) == ("planned", "position"):
            values.append([None] * count)
        elif name in EMPTY and table in ("cells", "maps"):
            values.append([EMPTY[name]] * count)
        else:
            values.append(columns[RENAMED.get((table, name), name)])
    rows = zip(*values, strict=True)
    if table in ("cells", "sweeps"):
        is_there = (status != "missing" for status in columns["status"])
        rows = (row for row, there in zip(rows, is_there, strict=True) if there)  # type: ignore[assignment]
    marks = ", ".join("?" * len(names))
    # IGNORE would also pass over missing values.
    connection.executemany(f"INSERT INTO {table} VALUES ({marks}) ON CONFLICT DO NOTHING", rows)


def _labels_of_numbers(
    connection: sqlite3.Connection, columns: Mapping[str, Sequence[Any]]
) -> list[int]:
    """The labels of clusters that are given by their numbers, as `weakest_cluster` is."""
    found = []
    for cell, point, number in zip(
        columns["cell"], columns["candidate"], columns["weakest_cluster"], strict=True
    ):
        if number < 0:
            found.append(number)
            continue
        kept = connection.execute(
            "SELECT labels FROM kept_labels WHERE cell = ? AND point = ?", (cell, point)
        ).fetchone()
        labels = np.frombuffer(b"" if kept is None else kept[0], LABEL)
        of_cluster = labels[numbered(labels) == number]
        if not len(of_cluster):
            raise HarnessError(f"its weakest_cluster {number} is no cluster of the selected level")
        found.append(int(of_cluster[0]))
    return found


def _insert_labels(connection: sqlite3.Connection) -> None:
    """Put the labels of each cell together, as a store has them."""
    connection.execute("CREATE INDEX temp.kept_by_cell ON kept_labels (cell, point)")
    nodes = dict(connection.execute("SELECT cell, nodes FROM cells"))
    kept = connection.execute("SELECT DISTINCT cell, point, labels FROM kept_labels ORDER BY 1, 2")
    for cell, rows in groupby(kept, itemgetter(0)):
        labels = [blob for _, _, blob in rows]
        if any(len(blob) != 2 * nodes.get(cell, 0) for blob in labels):
            raise HarnessError(f"labels of cell {cell} are not one for each node")
        count = connection.execute("SELECT count(*) FROM points WHERE cell = ?", (cell,))
        if count.fetchone()[0] != len(labels):
            raise HarnessError(f"labels of cell {cell} are there for some of its points only")
        connection.execute(
            "UPDATE cells SET labels = ? WHERE cell = ?", (zlib.compress(b"".join(labels), 1), cell)
        )


def _check_maps(connection: sqlite3.Connection) -> None:
    """Raise HarnessError unless grids, regions and truths are those of maps."""
    for nodes, *texts in connection.execute("SELECT nodes, grid, region, truth FROM maps"):
        grid, region, truth = (json.loads(text or "null") for text in texts)
        sound = (
            (grid is None or (_are(grid, int, 2) and grid[0] * grid[1] == nodes))
            and (region is None or _are(region, (int, float), 4))
            and (truth is None or _are(truth, int, nodes))
        )
        if not sound:
            raise HarnessError("a grid, region or truth is not what it should be")


def _are(values: Any, kind: Any, count: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == count
        and all(isinstance(each, kind) for each in values)
    )
