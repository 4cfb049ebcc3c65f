from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.store import FILE_NAME, folders, open_for_writing
from harness.store.folders import check_folder, file_system_of, network_file_system

SETTINGS = {"clusterers": ["louvain"], "levels": 3, "controls": []}


def planned(folder: Path) -> Path:
    with open_for_writing(folder) as store:
        store.write_plan(SETTINGS, {}, [], [])
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    "prepare",
    [
        lambda folder: None,
        lambda folder: folder.mkdir(),
        lambda folder: (folder / "maps").mkdir(parents=True),
        planned,
    ],
    ids=["missing", "empty", "killed in the survey", "same settings"],
)
def test_a_run_may_be_written_to_an_empty_folder_and_to_its_own(
    tmp_path: Path, prepare: object, overwrite: bool
) -> None:
    assert callable(prepare)
    prepare(tmp_path / "out")

    check_folder(tmp_path / "out", SETTINGS, overwrite=overwrite)


def test_what_a_killed_survey_left_is_a_runs_own(tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    for name in (f"{'0f' * 32}.npy", "tmpabc.partial"):
        (maps / name).write_bytes(b"")
    (tmp_path / "run.lock").touch()

    check_folder(tmp_path, SETTINGS, overwrite=False)


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["photo.png", ".hidden", "maps/planted-0.npy", "photos/a.png"])
def test_a_folder_with_anything_else_is_refused_even_to_overwrite(
    tmp_path: Path, name: str, overwrite: bool
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"mine")

    shown = name.partition("/")[0] if name.startswith("photos") else name
    with pytest.raises(HarnessError, match=rf"neither empty nor a run .it holds {shown}"):
        check_folder(tmp_path, SETTINGS, overwrite=overwrite)

    assert contents(tmp_path) == {str(path): b"mine"}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"levels": 4}, "levels 3 there, 4 now"),
        ({"clusterers": ("louvain", "sdp")}, "clusterers louvain there, louvain, sdp now"),
        ({"controls": ("noise",), "levels": 5}, "controls none there, noise now; levels 3"),
    ],
)
def test_a_run_with_other_settings_is_replaced_on_demand_only(
    tmp_path: Path, changes: dict[str, object], line: str
) -> None:
    planned(tmp_path)
    # In the order of the declaration.
    settings = dict(sorted({**SETTINGS, **changes}.items()))

    with pytest.raises(HarnessError, match=f"holds a run with other settings .*{line}"):
        check_folder(tmp_path, settings, overwrite=False)
    check_folder(tmp_path, settings, overwrite=True)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_that_is_no_store_is_refused_even_to_overwrite(
    tmp_path: Path, overwrite: bool
) -> None:
    (tmp_path / FILE_NAME).write_text("my notes")

    with pytest.raises(HarnessError, match=FILE_NAME):
        check_folder(tmp_path, SETTINGS, overwrite=overwrite)


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


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text("22 1 0:36 / / rw - nfs4 server:/ rw\n")
    monkeypatch.setattr(folders, "MOUNTS", mounts)

    assert network_file_system(tmp_path) == "nfs4"
    with pytest.raises(HarnessError, match=r"network file system \(nfs4\).*choose an --out on"):
        check_folder(tmp_path / "out", {}, overwrite=False)


def test_the_file_system_of_this_machine_is_found(tmp_path: Path) -> None:
    if not folders.MOUNTS.exists():
        pytest.skip("this system has no /proc")
    assert file_system_of(tmp_path.resolve(), folders.MOUNTS.read_text())
