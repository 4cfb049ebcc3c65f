"""What publishing writes, and what it leaves alone."""

import json
from pathlib import Path

import pandas
import pytest

import harness
from harness.store.publication import CARD, CHECKSUMS, PROVENANCE, REPORT
from support.runs import small_run

Contents = dict[str, bytes]


@pytest.fixture(scope="module")
def run(planted_maps: Path, tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    return small_run(tmp_path_factory.mktemp("run") / "mine", planted_maps)


def contents(folder: Path) -> Contents:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_publishing_twice_gives_the_same_bytes(run: harness.Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        run.publish(tmp_path / name, progress=False)

    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_the_leaderboard_is_a_table_of_its_own(run: harness.Run, tmp_path: Path) -> None:
    run.publish(tmp_path / "out", progress=False)

    table = pandas.read_parquet(tmp_path / "out" / "tables" / "leaderboard.parquet")
    pandas.testing.assert_frame_equal(table, run.leaderboard(progress=False).to_frame())


def test_other_files_of_the_folder_stay(run: harness.Run, tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    for name in ("notes.txt", ".gitattributes", "tables/mine.csv"):
        (tmp_path / name).write_text("mine")

    run.publish(tmp_path, progress=False)
    run.publish(tmp_path, overwrite=True, progress=False)

    assert {name for name, text in contents(tmp_path).items() if text == b"mine"} == {
        "notes.txt", ".gitattributes", "tables/mine.csv"
    }  # fmt: skip
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_that_is_of_no_published_run_is_not_replaced(
    run: harness.Run, tmp_path: Path, overwrite: bool
) -> None:
    (tmp_path / CARD).write_text("my notes")

    with pytest.raises(harness.HarnessError, match=r"holds README\.md, which is of no published"):
        run.publish(tmp_path, overwrite=overwrite, progress=False)

    assert contents(tmp_path) == {CARD: b"my notes"}


def test_a_published_run_is_replaced_only_if_that_is_asked_for(
    run: harness.Run, tmp_path: Path
) -> None:
    run.publish(tmp_path / "out", progress=False)
    before = contents(tmp_path / "out")

    with pytest.raises(harness.HarnessError, match=r"holds a published run; .* overwrite"):
        run.publish(tmp_path / "out", all_levels=True, progress=False)

    assert contents(tmp_path / "out") == before


def test_a_run_is_not_published_into_a_run(run: harness.Run) -> None:
    before = contents(run.folder)

    with pytest.raises(harness.HarnessError, match="holds a run; choose another out"):
        run.publish(run.folder, overwrite=True, progress=False)

    assert contents(run.folder) == before


def test_what_is_published_is_not_published_again(run: harness.Run, tmp_path: Path) -> None:
    published = run.publish(tmp_path / "one", progress=False)

    with pytest.raises(harness.HarnessError, match="published already; copy the folder"):
        published.publish(tmp_path / "two", progress=False)


def test_a_folder_that_cannot_be_written_costs_one_line(run: harness.Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    for path in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(harness.HarnessError, match="cannot be written"):
            run.publish(path, progress=False)


def test_without_its_checksums_a_folder_is_no_published_run(
    run: harness.Run, tmp_path: Path
) -> None:
    published = run.publish(tmp_path / "out", progress=False)
    (published.folder / CHECKSUMS).unlink()

    with pytest.raises(harness.HarnessError, match="no run is there"):
        harness.open_run(published.folder)


@pytest.mark.parametrize("license", ["", "a b", "mit\ntags: []", "CC"])
def test_a_license_is_an_identifier(run: harness.Run, tmp_path: Path, license: str) -> None:
    with pytest.raises(harness.HarnessError, match=r"license: .* is no identifier"):
        run.publish(tmp_path / "out", license=license, progress=False)

    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("pictures", [True, False])
def test_the_report_has_pictures_unless_they_are_left_out(tmp_path: Path, pictures: bool) -> None:
    run = small_run(tmp_path / "run", images="noise[count=2]", extractors="one-layer-vit")

    published = run.publish(tmp_path / "out", pictures=pictures, progress=False).folder

    assert ("data:image/png;base64," in (published / REPORT).read_text("utf-8")) == pictures
    said = "pictures of `noise[count=2]`" in (published / CARD).read_text("utf-8")
    assert said == pictures


def test_folders_of_the_machine_are_not_published(planted_maps: Path, tmp_path: Path) -> None:
    plugin = tmp_path / "secret" / "own.py"
    plugin.parent.mkdir()
    plugin.write_text("")
    maps = tmp_path / "secret" / "run"
    run = small_run(maps, extractors="planted[count=1,n=16]", plugins=[plugin])

    published = run.publish(tmp_path / "out", progress=False)

    document = (published.folder / PROVENANCE).read_text("utf-8")
    assert "secret" not in document
    (plugin_entry,) = json.loads(document)["sessions"][-1]["plugins"]
    assert plugin_entry["path"] == "own.py"
    for name in (CARD, REPORT):
        assert str(tmp_path) not in (published.folder / name).read_text("utf-8")
