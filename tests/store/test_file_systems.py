from pathlib import Path

import pytest

from harness.store import file_systems
from harness.store.file_systems import file_system_of, network_file_system

# In the format of Linux; see proc_pid_mountinfo(5).
MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
41 22 0:36 / /home rw,relatime shared:20 - nfs4 server:/home rw,vers=4.2
42 41 0:37 / /home/me/local rw,relatime - xfs /dev/sdb1 rw
43 22 0:38 / /mnt/my\\040disk rw master:1 shared:3 - fuse.sshfs me@there:/ rw
44 22 0:39 / /scratch rw - tmpfs tmpfs rw
45 22 0:40 / /scratch rw - lustre 10.0.0.1:/scratch rw
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/", "ext4"),
        ("/homes", "ext4"),
        ("/home", "nfs4"),
        ("/home/me", "nfs4"),
        ("/home/me/local/run", "xfs"),
        ("/mnt/my disk/run", "fuse.sshfs"),
        ("/scratch/run", "lustre"),
    ],
)
def test_the_innermost_mount_gives_the_file_system(folder: str, kind: str) -> None:
    assert file_system_of(Path(folder), MOUNTS) == kind


def test_an_unreadable_mount_table_gives_no_file_system() -> None:
    assert file_system_of(Path("/home"), "garbage\n- - -\n") == ""


def test_a_network_file_system_is_told_from_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(MOUNTS)
    monkeypatch.setattr(file_systems, "MOUNTS", mounts)

    assert network_file_system(Path("/home/me/no such folder")) == "nfs4"
    assert network_file_system(Path("/home/me/local/run")) == ""


def test_the_file_system_of_this_machine_is_found(tmp_path: Path) -> None:
    if not file_systems.MOUNTS.exists():
        pytest.skip("this system has no /proc")
    assert file_system_of(tmp_path.resolve(), file_systems.MOUNTS.read_text())
