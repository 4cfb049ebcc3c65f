"""A copy of a store that a run writes to, so that long reading keeps nobody waiting."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.errors import HarnessError
from harness.store.schema import FILE_NAME, MAPS_FOLDER

# Of a store that may be written to, as `version` gives it.
Version = tuple[tuple[int, ...], ...]


def copy_store(source: Path, target: Path) -> None:
    """Copy what is committed in a store, while it is written, to a new file without a log."""
    uri = f"{source.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(uri, uri=True, timeout=30)) as read,
        closing(sqlite3.connect(target)) as written,
    ):
        read.backup(written)
        # One file can be read where no log can be shared.
        written.execute("PRAGMA journal_mode = DELETE")


def version(folder: Path) -> Version:
    """What changes whenever something is written to the store of a folder."""
    found: list[tuple[int, ...]] = []
    for path in (folder / FILE_NAME, _log(folder)):
        try:
            state = path.stat()
            found.append((state.st_ino, state.st_mtime_ns, state.st_size))
        except OSError:
            found.append(())
    return tuple(found)


@contextmanager
def still(folder: Path) -> Iterator[Path]:
    """A run's folder, or while it is written to another one of its name, with a copy of the store.

    A store becomes one file only when nobody reads it as its run ends, so what takes seconds reads
    a copy. Raises HarnessError if the store cannot be copied.
    """
    if not _log(folder).exists():
        yield folder
        return
    with TemporaryDirectory(prefix="harness-view-") as scratch:
        copied = Path(scratch) / folder.absolute().name
        try:
            copied.mkdir()
            copy_store(folder / FILE_NAME, copied / FILE_NAME)
            (copied / MAPS_FOLDER).symlink_to(os.path.realpath(folder / MAPS_FOLDER))
        except (OSError, sqlite3.Error) as error:
            raise HarnessError(f"{folder / FILE_NAME}: cannot be copied: {error}") from error
        yield copied


def _log(folder: Path) -> Path:
    return folder / f"{FILE_NAME}-wal"
