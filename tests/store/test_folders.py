import os
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.store import FILE_NAME, open_for_writing
from harness.store.folders import check_folder, run_folders, sibling_folders

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


@pytest.mark.parametrize("name", ["run.sqlite", "run.sqlite-journal", "run.sqlite.partial"])
def test_a_store_that_was_about_to_be_made_is_no_store_yet(tmp_path: Path, name: str) -> None:
    (tmp_path / FILE_NAME).touch()
    (tmp_path / name).touch()

    check_folder(tmp_path, SETTINGS, overwrite=False)
    (tmp_path / "photo.png").touch()
    with pytest.raises(HarnessError, match=r"it holds photo\.png"):
        check_folder(tmp_path, SETTINGS, overwrite=True)


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


def test_siblings_are_the_runs_beside_a_run_and_named_ones_the_latest_first(
    tmp_path: Path,
) -> None:
    results, other = tmp_path / "results", tmp_path / "other"
    for time, folder in enumerate([results / "a", results / "b", other / "c", results / "own"]):
        os.utime(planned(folder) / FILE_NAME, (time, time))
    planned(results / "a" / "below")
    (results / "no run").mkdir()
    (results / "file").touch()
    (results / "strange" / FILE_NAME).mkdir(parents=True)
    (results / "again").symlink_to(results / "b")
    (results / "nowhere").symlink_to(results / "gone")
    (results / "circle").symlink_to(results / "circle")

    beside = {results / "b": "b", results / "again": "b", results / "a": "a"}
    found = [beside[path] for path in sibling_folders(results / "own", [])]
    assert found == ["b", "a"]
    assert sibling_folders(results / "own", [other])[0] == other / "c"
    assert sibling_folders(results / "new", [other / "c"])[:2] == [other / "c", results / "own"]
    assert sibling_folders(tmp_path / "alone", []) == []
    assert sibling_folders(results / "a" / "below", []) == []


@pytest.mark.parametrize("name", ["nowhere", "empty", "file"])
def test_a_folder_without_a_run_gives_no_siblings_and_is_refused_if_it_was_named(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()

    assert run_folders(tmp_path / name) == []
    with pytest.raises(HarnessError, match=f"{name}: no run is there"):
        sibling_folders(tmp_path / "out", [tmp_path / name])
    assert sibling_folders(tmp_path / name / "out", []) == []
