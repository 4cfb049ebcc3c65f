"""Reads a published run: checks its files, and makes a store of its tables in a temporary folder.

Whatever is wrong with a file is one line that names it; nothing of a file is run.
"""

import atexit
import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from harness.errors import HarnessError
from harness.planning.settings import WHAT
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
)
from harness.store.published_tables import insert_tables
from harness.store.schema import FILE_NAME, SCHEMA
from harness.store.tables import Store

# What the values of sessions are that readers look into.
IN_SESSIONS = {
    "environment": dict, "invocation": dict, "source": dict, "fingerprints": dict,
    "caveats": dict, "classes": dict, "objects": dict, "finished": bool, "taken_over": list,
}  # fmt: skip


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
            try:
                _load(folder, scratch / FILE_NAME)
            except BaseException:
                shutil.rmtree(scratch, ignore_errors=True)
                raise
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
        _insert_provenance(connection, provenance)
        insert_tables(connection, paths)
        connection.commit()
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
    try:
        checked = {name: each.check(name, settings[name]) for name, each in WHAT.items()}
    except (TypeError, KeyError, HarnessError) as error:
        raise HarnessError(f"{path}: its settings are not those of a run: {error}") from error
    if not (isinstance(sessions, list) and sessions and all(map(_is_session, sessions))):
        raise HarnessError(f"{path}: its sessions are not those of a run")
    return {
        "settings": {**settings, **checked},
        "sessions": [{**session, "plugins": []} for session in sessions],
    }


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
