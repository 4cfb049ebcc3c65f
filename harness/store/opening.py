"""Opens the store of a run folder, for one writer at a time.

Files that are damaged, not a store, or of another version are refused and left unchanged. Whatever
fails while a store is open, the store is looked at first: if it is damaged, that is the error.
"""

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, MissingFileError
from harness.store.damage import damage
from harness.store.file_systems import network_file_system
from harness.store.publication import is_published
from harness.store.published import PublishedStore, loaded
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

# Age in seconds after which a partial map is no longer being written.
LEFT_OVER = 3600.0
# KiB of pages that a connection keeps: cells are found by their keys, which lie anywhere.
CACHE = 2**16
# Seconds for which a run that ends waits for those who read it.
READERS = 3.0
# The version of each file that this process found sound.
SOUND: dict[Path, tuple[int, ...]] = {}
FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)


@contextmanager
def open_for_writing(folder: Path) -> Iterator[Store]:
    """Open the store of a run folder, made if missing, for one process at a time.

    Raises HarnessError if the folder cannot be written, is in use, or holds something else or a
    damaged store; and inside the block, if the disk is full.
    """
    with locked(folder):
        _clear(folder / MAPS_FOLDER)
        path = folder / FILE_NAME
        with _connected(path, "rwc") as connection:
            try:
                _check_schema(connection, path, create=True)
                connection.execute(f"PRAGMA cache_size = {-CACHE}")
                _check_content(connection, path)
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                yield Store(folder, connection)
            finally:
                _end_log(connection)


def _end_log(connection: sqlite3.Connection) -> None:
    """Make the store one file, readable also from a read-only folder; waits for brief readers."""
    deadline = time.monotonic() + READERS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", None)
            if code == sqlite3.SQLITE_BUSY and time.monotonic() < deadline:
                time.sleep(0.005)
                continue
        return


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make the folder of a run, and hold its lock.

    Raises HarnessError if another process holds it, or if the folder has a published run.
    """
    if is_published(folder):
        raise HarnessError(
            f"{folder}: a published run, to which nothing is written; use the run's own folder, "
            "and publish that again"
        )
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
        except BlockingIOError as error:
            raise HarnessError(f"{folder}: another process is running in this folder") from error
        except OSError:
            # Some network file systems have no locks.
            if not network_file_system(folder):
                raise
        yield
    finally:
        os.close(lock)


@contextmanager
def open_for_reading(folder: Path) -> Iterator[Store]:
    """Open the store of a run folder read-only, also while a run writes to it, or a published run.

    Raises HarnessError if there is no run, one of another version, or a damaged one; the last also
    inside the block.
    """
    path = folder / FILE_NAME
    if not path.is_file() and is_published(folder):
        with _connected(loaded(folder), "ro&immutable=1") as connection:
            yield PublishedStore(folder, connection)
        return
    if not path.is_file():
        raise MissingFileError(f"{folder}: no run is there ({FILE_NAME} is missing)")
    # Stores on network file systems are copies, replaced as a whole, and locks may not work.
    is_copy = network_file_system(folder) and not path.with_name(f"{FILE_NAME}-wal").exists()
    with _connected(path, "ro&immutable=1" if is_copy else "ro") as connection:
        _check_schema(connection, path)
        connection.execute(f"PRAGMA cache_size = {-CACHE}")
        found = path.stat()
        _check_content(connection, path, (found.st_ino, found.st_mtime_ns, found.st_size))
        yield Store(folder, connection)


def _clear(maps: Path) -> None:
    """Remove partial maps of killed processes; a recent one may be being written by a survey."""
    for partial in maps.glob(f"*{PARTIAL}"):
        with contextlib.suppress(OSError):
            if time.time() - partial.stat().st_mtime > LEFT_OVER:
                partial.unlink()


def _explained(path: Path, error: sqlite3.DatabaseError) -> HarnessError:
    code = getattr(error, "sqlite_errorcode", None)
    if code in FULL:
        return HarnessError(
            f"{path}: the disk is full; finished work is saved, and the same command resumes "
            "when there is room"
        )
    log = path.with_name(f"{path.name}-wal")
    if code == sqlite3.SQLITE_CANTOPEN and log.exists():
        return HarnessError(
            f"{path}: a run was stopped in this folder, which cannot be written; make it "
            "writable, or copy it and read the copy"
        )
    return HarnessError(f"{path}: {error}")


@contextmanager
def _connected(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    try:
        uri = f"{path.absolute().as_uri()}?mode={mode}"
        connection = sqlite3.connect(uri, uri=True, timeout=30)
    except sqlite3.Error as error:
        raise HarnessError(f"{path}: cannot be opened: {error}") from error
    try:
        yield connection
    except HarnessError:
        raise
    except Exception as error:  # what readers do with damaged values
        if found := damage(connection):
            raise _damaged(path, found) from error
        if isinstance(error, sqlite3.DatabaseError):
            raise _explained(path, error) from error
        raise
    finally:
        connection.close()


def _check_schema(connection: sqlite3.Connection, path: Path, *, create: bool = False) -> None:
    (tables,) = _fetch(connection, path, "SELECT count(*) FROM sqlite_schema")
    if create and not tables:
        # One transaction, so that a kill leaves no partial schema.
        connection.executescript(
            f"BEGIN; {SCHEMA} PRAGMA application_id = {APPLICATION_ID};"
            f"PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
        )
    (application,) = _fetch(connection, path, "PRAGMA application_id")
    (version,) = _fetch(connection, path, "PRAGMA user_version")
    if application != APPLICATION_ID:
        raise HarnessError(f"{path}: not the store of a run")
    if version != SCHEMA_VERSION:
        age = "an older" if version < SCHEMA_VERSION else "a newer"
        raise HarnessError(
            f"{path}: written by {age} harness (its schema is version {version}, this one's "
            f"{SCHEMA_VERSION}); use that harness, or another folder"
        )


def _check_content(
    connection: sqlite3.Connection, path: Path, version: tuple[int, ...] | None = None
) -> None:
    """Raise HarnessError if the file is damaged; one version is checked once in a process."""
    if version is None or SOUND.get(path) != version:
        (found,) = _fetch(connection, path, "PRAGMA quick_check(1)")
        if found != "ok":
            raise _damaged(path, str(found))
    if version is not None:
        SOUND[path] = version


def _damaged(path: Path, found: str) -> HarnessError:
    return HarnessError(
        f"{path}: damaged ({' '.join(found.split())}); nothing is written to it: restore a copy, "
        "or use another folder"
    )


def _fetch(connection: sqlite3.Connection, path: Path, query: str) -> tuple[Any, ...]:
    """The first row of a query; raises HarnessError if the file is damaged."""
    try:
        return tuple(connection.execute(query).fetchone())
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise HarnessError(f"{path}: damaged, or no store of a run: {error}") from error
