"""What a folder must be for a run to be written to it."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, setting_name
from harness.store.opening import open_for_reading
from harness.store.schema import FILE_NAME, LOCK_NAME, MAPS_FOLDER, PARTIAL
from harness.store.tables import Store

# Of a transaction that made the store, or changes its kind of log.
JOURNAL = f"{FILE_NAME}-journal"
# What may be there without a store.
OWN = (LOCK_NAME, FILE_NAME, JOURNAL, f"{FILE_NAME}{PARTIAL}")
# The files of maps, which a survey may write before there is a store.
OWN_MAP = re.compile(rf"[0-9a-f]{{64}}\.npy|.*{re.escape(PARTIAL)}")


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
