"""What a folder must be for a run to be written to it."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.store.opening import open_for_reading
from harness.store.schema import FILE_NAME, LOCK_NAME, MAPS_FOLDER, PARTIAL

MOUNTS = Path("/proc/self/mountinfo")
# On these SQLite cannot share its log between processes, and locks may not hold.
NETWORK = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "fuse.sshfs", "fuse.glusterfs", "fuse.s3fs",
        "fuse.gcsfuse", "fuse.rclone", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
        "orangefs", "pvfs2", "smb3", "smbfs",
    }
)  # fmt: skip


# The files of maps, which a survey may write before there is a store.
OWN_MAP = re.compile(rf"[0-9a-f]{{64}}\.npy|.*{re.escape(PARTIAL)}")


def check_folder(folder: Path, settings: Mapping[str, Any], *, overwrite: bool) -> None:
    """Raise HarnessError if a run with these settings cannot be written to a folder.

    It may be missing, empty, or hold a run with the same settings; with `overwrite` also one with
    other settings, but never anything else.
    """
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not nearest.is_dir():
        raise HarnessError(f"{folder}: cannot be written: {nearest} is not a folder")
    if not os.access(nearest, os.R_OK | os.W_OK | os.X_OK):
        raise HarnessError(f"{folder}: cannot be written: no permission for {nearest}")
    kind = network_file_system(nearest)
    if kind:
        raise HarnessError(
            f"{folder}: lies on a network file system ({kind}), where a run's store is not safe; "
            "choose an --out on a local disk, and copy it when the run is over"
        )
    if not folder.exists():
        return
    if not (folder / FILE_NAME).exists():
        if foreign := next(_foreign(folder), None):
            raise HarnessError(
                f"{folder}: neither empty nor a run (it holds {foreign}); choose another --out: "
                "--overwrite replaces nothing but runs"
            )
    elif (differing := "; ".join(_differences(folder, settings))) and not overwrite:
        raise HarnessError(
            f"{folder}: holds a run with other settings ({differing}); choose another --out, or "
            "replace that run with --overwrite"
        )


def _foreign(folder: Path) -> Iterator[str]:
    """What is in a folder without a store that no run left there before its store was made."""
    for path in sorted(folder.iterdir()):
        if path.name == MAPS_FOLDER and path.is_dir():
            found = (each.name for each in sorted(path.iterdir()))
            yield from (f"{MAPS_FOLDER}/{name}" for name in found if not OWN_MAP.fullmatch(name))
        elif path.name != LOCK_NAME:
            yield path.name


def _differences(folder: Path, settings: Mapping[str, Any]) -> Iterator[str]:
    """How the settings differ from those of the run in a folder, if it has a plan yet."""
    with open_for_reading(folder) as store:
        then = store.settings() if store.is_planned() else {}
    now = json.loads(json.dumps(settings))
    for name in now if then else ():
        if then.get(name) != now[name]:
            yield f"{name} {_shown(then.get(name))} there, {_shown(now[name])} now"


def _shown(value: Any) -> str:
    return (", ".join(value) or "none") if isinstance(value, list) else str(value)


def network_file_system(folder: Path) -> str:
    """The type of the network file system that a folder lies on, "" if it lies on none."""
    try:
        found = file_system_of(folder.resolve(), MOUNTS.read_text(errors="replace"))
    except OSError:
        return ""
    return found if found in NETWORK else ""


def file_system_of(folder: Path, mounts: str) -> str:
    """The type of the file system that an absolute folder lies on, "" if unknown.

    mounts: the content of /proc/self/mountinfo (see proc_pid_mountinfo(5)).
    """
    found, length = "", -1
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields, described = before.split(), after.split()
        if len(fields) < 5 or not described:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields[4]))
        # Of several mounts on one point, the last one is visible.
        if folder.is_relative_to(point) and len(point.parts) >= length:
            found, length = described[0], len(point.parts)
    return found
