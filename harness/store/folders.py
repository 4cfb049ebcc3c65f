"""Folders of runs: what runs they hold, and what one must be for a run to be written to it."""

import contextlib
import json
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, setting_name
from harness.store.opening import open_for_reading
from harness.store.publication import CHECKSUMS, is_published
from harness.store.schema import FILE_NAME, LOCK_NAME, MAPS_FOLDER, PARTIAL
from harness.store.tables import Store

# Of a transaction that made the store, or changes its kind of log.
JOURNAL = f"{FILE_NAME}-journal"
# What may be there without a store.
OWN = (LOCK_NAME, FILE_NAME, JOURNAL, f"{FILE_NAME}{PARTIAL}")
# The files of maps, which a survey may write before there is a store.
OWN_MAP = re.compile(rf"[0-9a-f]{{64}}\.npy|.*{re.escape(PARTIAL)}")


def run_folders(folder: Path) -> list[Path]:
    """The run folders in a folder, or the folder itself if it is one; the latest last.

    A published run is one too. Raises HarnessError if the folder cannot be read.
    """
    if _written(folder) is not None:
        return [folder]
    try:
        with os.scandir(folder) as entries:
            # Without a look at where links lead: one may lead nowhere, or to itself.
            inside = [folder / each.name for each in entries if each.is_symlink() or each.is_dir()]
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return []
    except OSError as error:
        raise HarnessError(f"{folder}: cannot be read: {error.strerror}") from error
    found = {path: each.st_mtime for path in inside if (each := _written(path)) is not None}
    return sorted(found, key=lambda path: (found[path], path.name))


def sibling_folders(folder: Path, named: Sequence[Path]) -> list[Path]:
    """The runs from which a run in `folder` may take over cells, the latest first.

    These are the runs in the folders `named`, or these themselves, and those beside the run's own
    folder that belong to the same user: what others put into /tmp is not trusted. Raises
    HarnessError if a named folder holds no run, or cannot be read.
    """
    found: list[Path] = []
    for path in named:
        if not (runs := _stores(path)):
            raise HarnessError(f"{setting_name('cache')}: {path}: no run is there")
        found += reversed(runs)
    beside = folder.parent
    with contextlib.suppress(HarnessError):
        found += [run for run in reversed(_stores(beside)) if run != beside and _is_own(run)]
    # A run may be found under several names.
    distinct: dict[str, Path] = {}
    for run in found:
        distinct.setdefault(os.path.realpath(run), run)
    distinct.pop(os.path.realpath(folder), None)
    return list(distinct.values())


def _stores(folder: Path) -> list[Path]:
    """The runs of a folder from which cells can be taken over: a published run has no maps."""
    return [run for run in run_folders(folder) if not is_published(run)]


def file_of_run(folder: Path) -> Path:
    """The file whose time is that of a folder's run: the store, or a published run's checksums."""
    return folder / (CHECKSUMS if is_published(folder) else FILE_NAME)


def _written(folder: Path) -> os.stat_result | None:
    """The state of the file of a folder's run, None if there is none or it cannot be reached."""
    try:
        found = file_of_run(folder).stat()
    except (OSError, ValueError):
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _is_own(folder: Path) -> bool:
    found = _written(folder)
    return found is not None and found.st_uid == os.getuid()


def check_folder(folder: Path, settings: Mapping[str, Any], *, overwrite: bool) -> None:
    """Raise HarnessError if a run with these settings cannot be written to a folder.

    It may be missing, empty, or hold a run with the same settings; with `overwrite` also one with
    other settings, but never anything else.
    """
    # A link that leads nowhere is no place for a folder either.
    nearest = next(
        path for path in (folder, *folder.absolute().parents) if path.is_symlink() or path.exists()
    )
    if not nearest.is_dir():
        raise HarnessError(f"{folder}: cannot be written: {nearest} is not a folder")
    if not os.access(nearest, os.R_OK | os.W_OK | os.X_OK):
        raise HarnessError(f"{folder}: cannot be written: no permission for {nearest}")
    if not folder.exists():
        return
    if _has_store(folder):
        with open_for_reading(folder) as store:
            check_settings(store, settings, overwrite=overwrite)
    elif foreign := next(_foreign(folder), None):
        raise HarnessError(
            f"{folder}: neither empty nor a run (it holds {foreign}); choose another "
            f"{setting_name('out')}: {setting_name('overwrite')} replaces nothing but runs"
        )


def check_settings(store: Store, settings: Mapping[str, Any], *, overwrite: bool) -> None:
    """Raise HarnessError if a store has a plan by other settings, unless it may be overwritten."""
    differing = "; ".join(_differences(store, settings))
    if differing and not overwrite:
        raise HarnessError(
            f"{store.folder}: holds a run with other settings ({differing}); choose another "
            f"{setting_name('out')}, or replace that run with {setting_name('overwrite')}"
        )


def _has_store(folder: Path) -> bool:
    """Whether a folder has a store; not if its process was killed before the store was made."""
    path = folder / FILE_NAME
    return path.exists() and path.stat().st_size > 0 and not (folder / JOURNAL).exists()


def _foreign(folder: Path) -> Iterator[str]:
    """What is in a folder without a store that no run left there before its store was made."""
    for path in sorted(folder.iterdir()):
        if path.name == MAPS_FOLDER and path.is_dir():
            found = (each.name for each in sorted(path.iterdir()))
            yield from (f"{MAPS_FOLDER}/{name}" for name in found if not OWN_MAP.fullmatch(name))
        elif path.name not in OWN:
            yield path.name


def _differences(store: Store, settings: Mapping[str, Any]) -> Iterator[str]:
    """How the settings differ from those of a store, if it has a plan yet."""
    then = store.settings() if store.is_planned() else {}
    now = json.loads(json.dumps(settings))
    for name in now if then else ():
        if then.get(name) != now[name]:
            yield f"{name} {_shown(then.get(name))} there, {_shown(now[name])} now"


def _shown(value: Any) -> str:
    return (", ".join(value) or "none") if isinstance(value, list) else str(value)
