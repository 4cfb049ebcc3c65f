"""Takes over what a plan lacks from the stores of other runs, its siblings.

A sibling is attached read-only to the run's own connection, so that rows do not pass through
Python. If nobody writes it, it is read without locks, and what was read counts only if its file has
not changed meanwhile; else in short transactions, between which its writer can end. What is damaged
or of another version gives nothing; what was taken before is sound and stays.
"""

import json
import re
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.planning.survey import MapRecord
from harness.store.maps import take_over_map
from harness.store.missing import TIMINGS, CellKind
from harness.store.opening import FULL
from harness.store.schema import APPLICATION_ID, FILE_NAME, MAPS_FOLDER, SCHEMA_VERSION
from harness.store.tables import COMPONENT_COLUMNS, Store

# Cells, and maps, that one transaction takes over.
CELLS = 1000
MAPS = 500
# Seconds between two transactions, for which a writer waits to end.
PAUSE = 0.02
# Milliseconds to wait for a sibling that another process locks, and for the run's own store.
PATIENCE = 200
OWN_PATIENCE = 30_000
CHANGED = "changed meanwhile"
DIGEST = re.compile("[0-9a-f]{64}")
TABLES = """
CREATE TEMP TABLE missing (
    cell TEXT PRIMARY KEY, map TEXT NOT NULL, observed TEXT NOT NULL, sibling TEXT
) WITHOUT ROWID;
CREATE TEMP TABLE missing_maps (map TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TEMP TABLE page (cell TEXT PRIMARY KEY) WITHOUT ROWID;
"""
# The cells that are still missing and that a sibling has. It plans them now, so its settings name
# their components. Read from its side, as most siblings are small.
OFFERED = """
SELECT its.cell FROM sibling.planned AS its
CROSS JOIN temp.missing USING (cell) CROSS JOIN sibling.cells USING (cell)
WHERE missing.sibling IS NULL AND cells.status = 'ok'
"""


class SiblingError(Exception):
    """Why a sibling gives nothing, or no more."""


@contextmanager
def missing(connection: sqlite3.Connection, cells: Iterable[tuple[str, str, str]]) -> Iterator[int]:
    """Within this context, `attached` siblings are asked for these cells; gives their number.

    Each is the keys of the cell, its map, and the map that this is compared with, or "".
    """
    connection.executescript(TABLES)
    connection.create_function("is_sound", 3, _is_sound, deterministic=True)
    try:
        with connection:
            connection.executemany("INSERT OR IGNORE INTO missing VALUES (?, ?, ?, NULL)", cells)
            connection.execute(
                "INSERT INTO missing_maps SELECT map FROM missing "
                "UNION SELECT observed FROM missing WHERE observed <> ''"
            )
        (count,) = connection.execute("SELECT count(*) FROM missing").fetchone()
        yield count
    finally:
        with suppress(sqlite3.Error):
            for table in ("missing", "missing_maps", "page"):
                connection.execute(f"DROP TABLE temp.{table}")


def cells_without_record(store: Store, forced: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """What `missing` takes, of all planned cells without a record.

    Those in which one of the components `forced`, given by specs, takes part are left out.
    """
    specs = list(forced)
    marks = ", ".join("?" * len(specs))
    takes_part = " OR ".join(f"{column} IN ({marks})" for column in COMPONENT_COLUMNS)
    yield from store.connection.execute(
        "SELECT DISTINCT cell, map, observed FROM planned "
        "WHERE cell NOT IN (SELECT cell FROM cells) "
        f"AND cell NOT IN (SELECT cell FROM planned WHERE {takes_part})",
        specs * len(COMPONENT_COLUMNS),
    )


def is_offered(connection: sqlite3.Connection, cell: str) -> bool:
    """Whether a sibling has offered a cell, within `missing`."""
    query = "SELECT 1 FROM temp.missing WHERE cell = ? AND sibling IS NOT NULL"
    return connection.execute(query, (cell,)).fetchone() is not None


def forget_offers(connection: sqlite3.Connection, folder: Path) -> None:
    """Let others offer what a sibling offered and did not give."""
    with connection:
        connection.execute(
            "UPDATE temp.missing SET sibling = NULL WHERE sibling = ?", (str(folder),)
        )


@contextmanager
def attached(connection: sqlite3.Connection, folder: Path) -> Iterator["Sibling"]:
    """The sibling in a folder, attached to a connection within `missing`.

    Raises SiblingError if its store cannot be read, or fails inside the block.
    """
    path = folder / FILE_NAME
    connection.execute(f"PRAGMA busy_timeout = {PATIENCE}")
    try:
        state = _state(path)
        try:
            uri = f"{path.absolute().as_uri()}?mode=ro{'' if state is None else '&immutable=1'}"
            connection.execute("ATTACH ? AS sibling", (uri,))
        except sqlite3.Error as error:
            raise SiblingError(str(error)) from error
        try:
            yield _opened(connection, folder, state)
        except sqlite3.DatabaseError as error:
            connection.rollback()
            # Errors do not say which of the attached stores failed.
            if getattr(error, "sqlite_errorcode", None) not in FULL:
                raise SiblingError(_fault(connection, path, state, error)) from error
            raise
        finally:
            connection.rollback()
            with suppress(sqlite3.Error):
                connection.execute("DETACH sibling")
    finally:
        connection.execute(f"PRAGMA busy_timeout = {OWN_PATIENCE}")


def _state(path: Path) -> tuple[int, ...] | None:
    """What tells versions of a store apart that nobody writes; None if it has a log."""
    try:
        if path.with_name(f"{FILE_NAME}-wal").exists():
            return None
        if path.with_name(f"{FILE_NAME}-journal").exists():
            raise SiblingError("in use")
        found = path.stat()
    except OSError as error:
        raise SiblingError(str(error.strerror)) from error
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def _fault(
    connection: sqlite3.Connection,
    path: Path,
    state: tuple[int, ...] | None,
    error: sqlite3.DatabaseError,
) -> str:
    """What is wrong with the sibling; raises the error if it is not to blame."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "in use"
    try:
        found = str(_one(connection, "PRAGMA sibling.quick_check(1)"))
    except sqlite3.DatabaseError as other:
        found = str(other)
    if found != "ok":
        return f"damaged: {found}"
    if _state(path) != state:
        return CHANGED
    raise error


def _is_sound(nodes: Any, labels: Any, points: Any) -> bool:
    """Whether labels can be read."""
    try:
        return len(zlib.decompress(labels)) == 2 * int(nodes) * int(points)
    except (zlib.error, TypeError):
        return False


def _opened(
    connection: sqlite3.Connection, folder: Path, state: tuple[int, ...] | None
) -> "Sibling":
    """The attached sibling; raises SiblingError if its store is none, or of another schema."""
    if _one(connection, "PRAGMA sibling.application_id") != APPLICATION_ID:
        raise SiblingError("not the store of a run")
    if _one(connection, "PRAGMA sibling.user_version") != SCHEMA_VERSION:
        raise SiblingError("written by a harness with another schema")
    return Sibling(folder, connection, state, _executions(connection))


def _executions(connection: sqlite3.Connection) -> int:
    return int(_one(connection, "SELECT count(*) FROM sibling.sessions"))


def _one(connection: sqlite3.Connection, query: str) -> Any:
    (found,) = connection.execute(query).fetchone()
    return found


@dataclass(frozen=True)
class Sibling:
    """Another run, while it is attached; `take_maps` and `take_cells` attach it themselves.

    state: of its file, None if it has a log. executions: how many there were.
    """

    folder: Path
    connection: sqlite3.Connection
    state: tuple[int, ...] | None
    executions: int

    def check_unchanged(self) -> None:
        """Raise SiblingError if another execution began, or if it was written unseen."""
        is_same = self.state is None or _state(self.folder / FILE_NAME) == self.state
        if not is_same or _executions(self.connection) != self.executions:
            raise SiblingError(CHANGED)

    def settings(self) -> dict[str, Any]:
        """The settings of its latest plan, empty if it has none yet."""
        return next(iter(self._documents("settings")), {})

    def sessions(self) -> list[dict[str, Any]]:
        """The descriptions of all its executions, the latest last."""
        return self._documents("sessions")

    def has_maps(self) -> bool:
        """Whether it has any map of the cells that are missing."""
        return self._exists(
            "SELECT 1 FROM sibling.maps AS its CROSS JOIN temp.missing_maps USING (map) "
            "WHERE its.reason = ''"
        )

    def has_cells(self) -> bool:
        """Whether it has any of the cells that are still missing."""
        return self._exists(OFFERED)

    def _exists(self, query: str) -> bool:
        return bool(_one(self.connection, f"SELECT EXISTS ({query})"))

    def offer(self) -> int:
        """Note which of the cells that are still missing it has; returns their number."""
        with self.connection:
            count = self.connection.execute(
                f"UPDATE temp.missing SET sibling = ? WHERE cell IN ({OFFERED})",
                (str(self.folder),),
            ).rowcount
            self.check_unchanged()
        return count

    def timings(self) -> list[tuple[CellKind, float]]:
        """The kind and the seconds a point of the cells that it offers."""
        rows = self.connection.execute(
            f"{TIMINGS.format(schema='sibling')} AND cell IN "
            "(SELECT cell FROM temp.missing WHERE sibling = ?)",
            (str(self.folder),),
        ).fetchall()
        return [(CellKind(*kind), seconds) for *kind, seconds in rows]

    def take_maps(self, store: Store) -> Iterator[int]:
        """Take over the maps that missing cells need and whose files are intact, page by page."""
        after = ""
        while rows := self._maps(after):
            found = [record for record in map(_map_record, rows) if self._has_file(store, record)]
            store.write_maps(found)
            yield len(found)
            after = rows[-1]["map"]

    def _maps(self, after: str) -> list[sqlite3.Row]:
        """The next rows of maps that are needed, after a key."""
        with self._again() as now:
            cursor = self.connection.cursor()
            cursor.row_factory = sqlite3.Row
            rows = cursor.execute(
                "SELECT its.* FROM temp.missing_maps CROSS JOIN sibling.maps AS its USING (map) "
                "WHERE map > ? AND its.reason = '' "
                "AND NOT EXISTS (SELECT 1 FROM main.maps AS own WHERE own.map = its.map) "
                "AND EXISTS (SELECT 1 FROM sibling.planned WHERE planned.map = its.map) "
                f"ORDER BY map LIMIT {MAPS}",
                (after,),
            ).fetchall()
            now.check_unchanged()
        return rows

    def take_cells(self, record: Callable[[int], None]) -> Iterator[int]:
        """Take over the cells that it offers, page by page; yields how many a page has.

        record: called with that number in the same transaction; it may commit.
        """
        after = ""
        while True:
            with self._again() as now, self.connection:
                count, after = self._fill_page(after)
                now.check_unchanged()
                if not count:
                    return
                record(count)
            yield count

    @contextmanager
    def _again(self) -> Iterator["Sibling"]:
        """Attach it again; raises SiblingError if it is not as it was."""
        time.sleep(PAUSE if self.state is None else 0)
        with attached(self.connection, self.folder) as now:
            # Its writer may have ended.
            if self.state not in (None, now.state):
                raise SiblingError(CHANGED)
            yield replace(now, executions=self.executions)

    def _fill_page(self, after: str) -> tuple[int, str]:
        """Copy the next cells after a key, with their points; their number, and the last key.

        Checked is what is copied: looking at all pages of a large sibling would take longer.
        """
        execute = self.connection.execute
        execute("DELETE FROM temp.page")
        execute(
            "INSERT INTO temp.page SELECT cell FROM temp.missing WHERE sibling = ? AND cell > ? "
            "AND EXISTS (SELECT 1 FROM sibling.cells AS its WHERE its.cell = missing.cell "
            f"AND its.status = 'ok') ORDER BY cell LIMIT {CELLS}",
            (str(self.folder), after),
        )
        count, last = execute("SELECT count(*), max(cell) FROM temp.page").fetchone()
        if self._exists(
            "SELECT 1 FROM temp.page CROSS JOIN sibling.cells AS its USING (cell) "
            "WHERE NOT is_sound(nodes, labels, (SELECT count(*) FROM sibling.points AS each "
            "WHERE each.cell = its.cell))"
        ):
            raise SiblingError("damaged: labels cannot be read")
        if self._exists(
            "SELECT 1 FROM temp.page CROSS JOIN sibling.points USING (cell) "
            "WHERE json_valid(diagnostics) IS NOT 1 OR json_valid(warnings) IS NOT 1"
        ):
            raise SiblingError("damaged: diagnostics or warnings are no JSON")
        for table in ("cells", "points"):
            execute(
                f"INSERT OR REPLACE INTO main.{table} SELECT its.* "
                f"FROM temp.page CROSS JOIN sibling.{table} AS its USING (cell)"
            )
        execute("DELETE FROM temp.missing WHERE cell IN (SELECT cell FROM temp.page)")
        return count, last

    def _has_file(self, store: Store, record: MapRecord) -> bool:
        return take_over_map(self.folder / MAPS_FOLDER, store.maps_folder, record.digest)

    def _documents(self, table: str) -> list[dict[str, Any]]:
        """The values of a table of JSON objects."""
        try:
            rows = self.connection.execute(f"SELECT value FROM sibling.{table} ORDER BY rowid")
            found = [json.loads(value) for (value,) in rows.fetchall()]
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise SiblingError(f"damaged: {error}") from error
        if not all(isinstance(each, dict) for each in found):
            raise SiblingError(f"damaged: a value in {table} is no object")
        return found


def _map_record(row: sqlite3.Row) -> MapRecord:
    try:
        record = MapRecord.from_row(row)
    except (ValueError, TypeError) as error:
        raise SiblingError(f"damaged: {error}") from error
    # A digest names a file.
    if not DIGEST.fullmatch(str(record.digest)):
        raise SiblingError("damaged: a map's digest is none")
    return record
