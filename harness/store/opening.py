"""Opens the store of a run folder: one writer at a time, nothing damaged, nothing foreign."""

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.store.mounts import network_file_system
from harness.store.schema import (
    APPLICATION_ID,
    FILE_NAME,
    LOCK_NAME,
    MAPS_FOLDER,
    PARTIAL,
    SCHEMA,
    SCHEMA_VERSION,
)
from harness.store.tables import Store

# Seconds after which nobody is writing a partial map any more.
LEFT_OVER = 3600.0
FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)


def check_place(folder: Path) -> None:
    """Raise HarnessError if a run's folder can be seen to be no place to write to."""
    nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not nearest.is_dir():
        raise HarnessError(f"{folder}: cannot be written: {nearest} is not a folder")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise HarnessError(f"{folder}: cannot be written: no permission for {nearest}")
    kind = network_file_system(nearest)
    if kind:
        raise HarnessError(
            f"{folder}: lies on a network file system ({kind}), where a run's store is not safe; "
            "choose an --out on a local disk, and copy it when the run is over"
        )


@contextmanager
def open_for_writing(folder: Path) -> Iterator[Store]:
    """The store of a run folder, made if it is not there, for one process at a time.

    Raises HarnessError if the folder cannot be written, is in use, or holds something else or
    damaged; and later, if the disk is full.
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
        _clear(folder / MAPS_FOLDER)
        path = folder / FILE_NAME
        connection = _connect(path, "rwc")
        try:
            _check_schema(connection, path, create=True)
            _check_content(connection, path)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            yield Store(folder, connection)
        except sqlite3.DatabaseError as error:
            raise _explained(path, error) from error
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
        raise _explained(path, error) from error
    finally:
        connection.close()


def _clear(maps: Path) -> None:
    """Remove maps that a killed process left half-written; one that surveys may be writing some."""
    for partial in maps.glob(f"*{PARTIAL}"):
        with contextlib.suppress(OSError):
            if time.time() - partial.stat().st_mtime > LEFT_OVER:
                partial.unlink()


def _explained(path: Path, error: sqlite3.DatabaseError) -> HarnessError:
    code = getattr(error, "sqlite_errorcode", None)
    if code in FULL:
        return HarnessError(
            f"{path}: the disk is full; what was computed until then is kept, and the same "
            "command goes on from there when there is room"
        )
    log = path.with_name(f"{path.name}-wal")
    if code == sqlite3.SQLITE_CANTOPEN and log.exists():
        return HarnessError(
            f"{path}: a run was stopped in this folder, which cannot be written; make it "
            "writable, or copy it and read the copy"
        )
    return HarnessError(f"{path}: {error}")


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
    (tables,) = _damage_named(connection, path, "SELECT count(*) FROM sqlite_schema")
    if create and not tables:
        _create(connection)
    (application,) = _damage_named(connection, path, "PRAGMA application_id")
    (version,) = _damage_named(connection, path, "PRAGMA user_version")
    if application != APPLICATION_ID:
        raise HarnessError(f"{path}: not the store of a run")
    if version != SCHEMA_VERSION:
        age = "an older" if version < SCHEMA_VERSION else "a newer"
        raise HarnessError(
            f"{path}: written by {age} harness (its schema is version {version}, this one's "
            f"{SCHEMA_VERSION}); use that harness, or choose another --out"
        )


def _check_content(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse to write into a damaged file: whatever is wrong, its pages fit together or not."""
    (found,) = _damage_named(connection, path, "PRAGMA quick_check(1)")
    if found != "ok":
        raise HarnessError(
            f"{path}: damaged ({' '.join(str(found).split())}); nothing is written to it: restore "
            "a copy, or choose another --out"
        )


def _damage_named(connection: sqlite3.Connection, path: Path, query: str) -> tuple[Any, ...]:
    try:
        return tuple(connection.execute(query).fetchone())
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise HarnessError(f"{path}: damaged, or no store of a run: {error}") from error
