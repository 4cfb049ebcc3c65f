"""The file systems that folders lie on."""

import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
# On these SQLite cannot share its log between processes, and locks may not hold.
NETWORK = frozenset(
    {
        "9p", "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.blobfuse2", "fuse.ceph-fuse",
        "fuse.gcsfuse", "fuse.glusterfs", "fuse.juicefs", "fuse.mountpoint-s3", "fuse.rclone",
        "fuse.s3fs", "fuse.sshfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4",
        "orangefs", "panfs", "pvfs2", "smb3", "smbfs", "vboxsf", "virtiofs", "wekafs",
    }
)  # fmt: skip


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
