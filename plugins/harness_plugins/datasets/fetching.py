"""Fetches image sets from their publishers, whole or not at all."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from harness import HarnessError
from harness_plugins.datasets.catalogue import Archive, KnownImageSet
from harness_plugins.datasets.download import download
from harness_plugins.datasets.unpacking import unpack

# The current step, bytes done, and bytes in all.
Report = Callable[[str, int, int], None]


def fetch(entry: KnownImageSet, target: Path, report: Report, base: str | None = None) -> bool:
    """Fetch a set's folder to `target`; False if it is already there.

    Files are collected in a folder beside it, `target` with `.partial` appended, which survives
    interruptions and errors so that the next call resumes; `target` appears once everything is
    complete and correct. With `base`, files are downloaded from below that address. Raises
    HarnessError if the set cannot be fetched, or if `target` holds something else.
    """
    if not entry.downloads:
        raise HarnessError(f"{entry.name}: {entry.obtain}; there is nothing to fetch")
    target = Path(os.path.abspath(os.path.expanduser(target)))
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        missing = entry.missing(target)
        if missing:
            raise HarnessError(
                f"{target}: exists without {', '.join(missing)}; choose another folder"
            )
        return False
    try:
        with _working_folder(target.with_name(f"{target.name}.partial")) as working:
            _check_space(entry, working)
            ready = _downloaded(entry, working / "downloads", report, base)
            if entry.archive is not None:
                ready = _unpacked(ready, working / "unpacked", entry, entry.archive, report)
            ready.rename(target)
            shutil.rmtree(working)
    except OSError as error:
        raise HarnessError(f"{error.filename or target}: {error.strerror}") from error
    return True


@contextmanager
def _working_folder(folder: Path) -> Iterator[Path]:
    """The folder, created if necessary, locked until the end."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise HarnessError(f"{folder}: another command is fetching into it") from error
        yield folder
    finally:
        os.close(descriptor)


def _check_space(entry: KnownImageSet, working: Path) -> None:
    present = sum(path.stat().st_size for path in (working / "downloads").glob("*"))
    unpacked = entry.archive.most_bytes if entry.archive else 0
    needed = sum(file.size for file in entry.downloads) + unpacked - present
    free = shutil.disk_usage(working).free
    if free < needed:
        raise HarnessError(
            f"{working.parent}: {entry.name} may need {needed / 1e9:.2f} GB more, "
            f"{free / 1e9:.2f} GB are free"
        )


def _downloaded(entry: KnownImageSet, folder: Path, report: Report, base: str | None) -> Path:
    folder.mkdir(exist_ok=True)
    for file in entry.downloads:
        if base is not None:
            file = replace(file, url=f"{base.rstrip('/')}/{file.name}")
        download(file, folder / file.name, partial(report, f"downloading {file.name}"))
    return folder


def _unpacked(
    downloads: Path, folder: Path, entry: KnownImageSet, archive: Archive, report: Report
) -> Path:
    """The set's folder in its unpacked archive."""
    if folder.exists():
        shutil.rmtree(folder)
    (file,) = entry.downloads
    unpack(downloads / file.name, folder, archive, partial(report, f"unpacking {file.name}"))
    root = folder / archive.root
    missing = entry.missing(root)
    if missing:
        raise HarnessError(f"{file.name}: its archive lacks {', '.join(missing)}")
    return root
