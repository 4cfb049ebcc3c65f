"""Stores of runs whose folder lies on a network file system.

SQLite cannot write safely there. So the store is written in a folder on a local disk, and copied
to the run's folder every few minutes and at the end: whole, and atomically. Files of maps are
written at once and never changed, so they go to the run's folder directly.
"""

import contextlib
import os
import shutil
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError, setting_name
from harness.planning.identity import key_of
from harness.planning.progress import Progress
from harness.store.file_systems import network_file_system
from harness.store.opening import locked
from harness.store.schema import FILE_NAME, LOCK_NAME, MAPS_FOLDER, PARTIAL
from harness.store.snapshot import copy_store

# Seconds between two copies, and how many times longer than a copy this is at least.
INTERVAL = 120.0
RARELY = 20


@contextmanager
def written_in(folder: Path, scratch: Path | None, progress: Progress) -> Iterator[Path]:
    """The folder to write a run's store in: its own, or one in `scratch` that is copied to it.

    Without `scratch` a temporary folder is used if the run's lies on a network file system. Raises
    HarnessError if one of both cannot be used, and if the last copy fails; the store is then left
    where it is.
    """
    kind = network_file_system(folder)
    if scratch is None and not kind:
        yield folder
        return
    with locked(folder), _interrupted_by_termination(), _forgotten_if_empty(folder):
        live = _live_folder(folder, scratch)
        why = f"on a network file system ({kind}), so " if kind else ""
        progress.note(
            f"{folder}: {why}the store is written in {live}, and copied every few minutes"
        )
        copies = _Copies(live / FILE_NAME, folder / FILE_NAME, progress)
        try:
            with copies.made_regularly():
                yield live
        finally:
            copies.make_last()
            shutil.rmtree(live)


@contextmanager
def _interrupted_by_termination() -> Iterator[None]:
    """Let SIGTERM and SIGHUP interrupt the block as Ctrl-C does, so that the last copy is made.

    Schedulers may send several; all but the first are ignored, so that they spare the copy.
    """
    is_main = threading.current_thread() is threading.main_thread()
    taken = [
        number
        for number in (signal.SIGTERM, signal.SIGHUP)
        if is_main and signal.getsignal(number) == signal.SIG_DFL
    ]

    def interrupt(*_: object) -> None:
        for number in taken:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    try:
        for number in taken:
            signal.signal(number, interrupt)
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def _live_folder(folder: Path, scratch: Path | None) -> Path:
    """Make the local folder, with the run's store and a link to its maps in it."""
    option = setting_name("scratch")
    root = Path(tempfile.gettempdir()) if scratch is None else scratch
    if kind := network_file_system(root):
        raise HarnessError(
            f"{root}: lies on a network file system ({kind}); name a folder on a local disk with "
            f"{option}"
        )
    # Unlike Path.resolve, realpath accepts circular links.
    real = os.path.realpath(folder)
    if Path(os.path.realpath(root)).is_relative_to(real):
        raise HarnessError(f"{root}: lies in the run's folder {folder}; name another {option}")
    live = root / f"harness-{os.getuid()}-{key_of(real)[:12]}"
    try:
        root.mkdir(parents=True, exist_ok=True)
        if live.is_symlink() or (live.exists() and live.stat().st_uid != os.getuid()):
            raise HarnessError(f"{live}: belongs to somebody else; name another {option}")
        if live.exists():
            # Of a run that was killed; its last copy is what counts.
            with locked(live):
                pass
            shutil.rmtree(live)
        live.mkdir(mode=0o700)
        (live / MAPS_FOLDER).symlink_to(
            os.path.realpath(folder / MAPS_FOLDER), target_is_directory=True
        )
        for name in (FILE_NAME, f"{FILE_NAME}-wal"):
            if (folder / name).exists():
                shutil.copyfile(folder / name, live / name)
    except OSError as error:
        raise HarnessError(f"{root}: cannot be written: {error.strerror}") from error
    return live


@contextmanager
def _forgotten_if_empty(folder: Path) -> Iterator[None]:
    """Remove what was made for a run that could not begin."""
    try:
        yield
    finally:
        if not (folder / FILE_NAME).exists():
            with contextlib.suppress(OSError):
                (folder / LOCK_NAME).unlink()
                (folder / MAPS_FOLDER).rmdir()
                folder.rmdir()


@dataclass(frozen=True)
class _Copies:
    """Copies a store that is being written."""

    live: Path
    copy: Path
    progress: Progress

    @contextmanager
    def made_regularly(self) -> Iterator[None]:
        """Copy every few minutes in a thread; copies that fail are reported, and tried again."""
        done = threading.Event()
        thread = threading.Thread(target=self._make_regularly, args=(done,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _make_regularly(self, done: threading.Event) -> None:
        pause = INTERVAL
        while not done.wait(pause):
            began = time.monotonic()
            try:
                self._make()
            except (OSError, sqlite3.Error) as error:
                self.progress.warn(f"{self.copy}: not copied, and tried again later: {error}")
            pause = max(INTERVAL, RARELY * (time.monotonic() - began))

    def make_last(self) -> None:
        """Copy the finished store."""
        try:
            self._make()
        except (OSError, sqlite3.Error) as error:
            raise HarnessError(
                f"{self.copy}: the store cannot be copied: {error}; before you run this again, "
                f"copy it from {self.live}"
            ) from error

    def _make(self) -> None:
        """Replace the copy by the store's committed content."""
        if not self.live.exists():
            return
        local = self.live.with_name(f"{FILE_NAME}{PARTIAL}")
        remote = self.copy.with_name(f"{FILE_NAME}{PARTIAL}")
        local.unlink(missing_ok=True)
        copy_store(self.live, local)
        with local.open("rb") as read, remote.open("wb") as written:
            shutil.copyfileobj(read, written)
            written.flush()
            os.fsync(written.fileno())
        for end in ("-wal", "-shm"):
            # The log of a run that was killed belongs to no other file.
            self.copy.with_name(f"{FILE_NAME}{end}").unlink(missing_ok=True)
        remote.replace(self.copy)
        local.unlink()
