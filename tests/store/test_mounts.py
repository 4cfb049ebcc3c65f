from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.store import check_place, mounts
from harness.store.mounts import file_system_of, network_file_system

# As Linux writes it; see proc_pid_mountinfo(5).
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
def test_the_innermost_mount_says_what_a_folder_lies_on(folder: str, kind: str) -> None:
    assert file_system_of(Path(folder), MOUNTS) == kind


def test_a_text_that_tells_nothing_tells_nothing() -> None:
    assert file_system_of(Path("/home"), "garbage\n- - -\n") == ""


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "mountinfo"
    told.write_text("22 1 0:36 / / rw - nfs4 server:/ rw\n")
    monkeypatch.setattr(mounts, "MOUNTS", told)

    assert network_file_system(tmp_path) == "nfs4"
    with pytest.raises(HarnessError, match=r"network file system \(nfs4\).*choose an --out on"):
        check_place(tmp_path / "out")


def test_this_machine_tells_of_its_own_disk(tmp_path: Path) -> None:
    if not mounts.MOUNTS.exists():
        pytest.skip("this system has no /proc")
    assert file_system_of(tmp_path.resolve(), mounts.MOUNTS.read_text())
