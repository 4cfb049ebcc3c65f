"""The files of runs that others take over from: damaged, changing, killed; real runs on them."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import harness
from harness.errors import HarnessError
from harness.store import FILE_NAME, open_for_reading, open_for_writing
from support.runs import small_command
from support.siblings import BOTH, CHANGES, Heard, assert_same, contents, run_beside


def damage_pages(folder: Path) -> None:
    content = bytearray((folder / FILE_NAME).read_bytes())
    content[4096:] = b"\x5a" * (len(content) - 4096)
    (folder / FILE_NAME).write_bytes(content)


def _executing(statement: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with sqlite3.connect(folder / FILE_NAME) as connection:
            connection.execute(statement)
        connection.close()

    return change


@pytest.mark.parametrize(
    "change",
    [
        damage_pages,
        _executing("PRAGMA user_version = 1"),
        _executing("PRAGMA application_id = 1"),
        _executing("UPDATE cells SET labels = x'00'"),
        _executing("UPDATE points SET diagnostics = '{'"),
        _executing("UPDATE maps SET grid = '['"),
        _executing("UPDATE maps SET digest = '../../elsewhere'"),
        _executing("UPDATE sessions SET value = '[]'"),
        _executing("UPDATE sessions SET value = '{}'"),
        _executing("UPDATE settings SET value = cast(x'ff' AS TEXT)"),
        _executing("DELETE FROM sessions"),
        _executing("DELETE FROM planned"),
        lambda folder: (folder / FILE_NAME).write_bytes(b""),
        lambda folder: (folder / FILE_NAME).write_bytes(b"no store"),
        lambda folder: (folder / f"{FILE_NAME}-journal").touch(),
    ],
)
def test_a_sibling_that_is_damaged_or_of_another_kind_costs_nothing(
    sibling: Path, planted_maps: Path, one_clusterer: Path, change: Callable[[Path], None]
) -> None:
    change(sibling)
    before = contents(sibling)
    run, _ = run_beside(sibling.parent / "two", planted_maps)

    assert_same(run, harness.open_run(one_clusterer))
    assert run.cells().status.eq("ok").all()
    assert contents(sibling) == before
    with pytest.raises(HarnessError):
        run_beside(sibling.parent / "three", planted_maps, cache=sibling / "maps")


def test_a_damaged_sibling_that_was_named_is_said_so(sibling: Path, planted_maps: Path) -> None:
    damage_pages(sibling)
    _, said = run_beside(sibling.parent / "two", planted_maps, cache=sibling)

    (line,) = said
    assert line.startswith("took nothing from one: ")


def test_maps_are_linked(sibling: Path, planted_maps: Path) -> None:
    run, _ = run_beside(sibling.parent / "two", planted_maps)

    names = {path.name for path in (run.folder / "maps").iterdir()}
    assert names == {path.name for path in (sibling / "maps").iterdir()}
    drawn = [name for name in names if (sibling / "maps" / name).stat().st_nlink > 1]
    assert len(drawn) == 3


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"damaged")])
def test_a_map_whose_file_a_sibling_lost_is_made_again(
    sibling: Path, planted_maps: Path, damage: Callable[[Path], object]
) -> None:
    before = harness.open_run(sibling)
    for path in (sibling / "maps").iterdir():
        damage(path)
    run, said = run_beside(sibling.parent / "two", planted_maps)

    assert said[0] == "took over 6 of 6 cells from one"
    assert_same(run, before)
    with open_for_reading(run.folder) as store:
        digests = {record.digest for record in store.maps().values()}
    assert {path.stem for path in (run.folder / "maps").iterdir()} == digests
    assert len(digests) == 6


def test_a_run_that_is_being_written_gives_what_it_has_and_ends_as_one_file(
    sibling: Path, planted_maps: Path
) -> None:
    with open_for_writing(sibling) as store:
        with store.connection as connection:
            connection.execute("DELETE FROM cells WHERE rowid = 1")
        _, said = run_beside(sibling.parent / "two", planted_maps)
        store.change_session({"finished": True})

    assert said[0] == "took over 5 of 6 cells and 3 maps from one"
    assert not list(sibling.glob(f"{FILE_NAME}-*"))


def test_reading_a_sibling_leaves_no_file_beside_it(sibling: Path, planted_maps: Path) -> None:
    # As if its run had ended while somebody read it.
    connection = sqlite3.connect(sibling / FILE_NAME)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    before = contents(sibling)
    _, said = run_beside(sibling.parent / "two", planted_maps)

    assert said[0].startswith("took over 6 of 6 cells")
    assert contents(sibling) == before


def test_what_is_taken_from_a_sibling_that_changes_is_what_it_was(
    sibling: Path, planted_maps: Path, one_clusterer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.store.siblings.CELLS", 2)

    class Writing(Heard):
        phase = ""

        def begin(self, phase: str, total: int, seconds_left: object = None) -> None:
            self.phase = phase

        def advance(self, steps: int = 1) -> None:
            if self.phase.startswith("taking over"):
                (sibling / FILE_NAME).touch()

    heard = Writing()
    run, _ = run_beside(sibling.parent / "two", planted_maps, progress=heard)

    (taken,) = run.sessions()[-1]["taken_over"]
    assert heard.taken(run.folder)[0] == "took over 2 of 6 cells and 3 maps from one"
    assert 2 <= taken["cells"] < len(run.cells())
    assert_same(run, harness.open_run(one_clusterer))


def command_in(results: Path, maps: Path, out: str, **changes: object) -> list[str]:
    options = {**CHANGES, "cache": results, "clusterers": BOTH, "out": results / out, **changes}
    given = small_command(maps, **options)
    where = given.index("--cache")
    return [sys.executable, "-m", "harness", *given[:where], *given[where + 2 :]]


def test_runs_at_the_same_time_take_over_from_each_other_without_harm(
    planted_maps: Path, tmp_path: Path, both_clusterers: harness.Run
) -> None:
    results = tmp_path / "results"
    running = [
        subprocess.Popen(
            command_in(results, planted_maps, f"run-{number}"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors

    for number in range(3):
        assert_same(harness.open_run(results / f"run-{number}"), both_clusterers)
        assert not list((results / f"run-{number}").glob(f"{FILE_NAME}-*"))


def test_a_run_that_is_killed_while_it_takes_over_is_resumed(
    sibling: Path, planted_maps: Path, both_clusterers: harness.Run
) -> None:
    script = (
        "import os, signal, sys\n"
        "from harness.cli.main import main\n"
        "from harness.store import siblings\n"
        "siblings.CELLS = 2\n"
        "fill, pages = siblings.Sibling._fill_page, []\n"
        "def killed(self, after):\n"
        "    found = fill(self, after)\n"
        "    pages.append(found)\n"
        "    if len(pages) == 2:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return found\n"
        "siblings.Sibling._fill_page = killed\n"
        "main(sys.argv[1:])\n"
    )
    command = command_in(sibling.parent, planted_maps, "two")[3:]
    killed = subprocess.run([sys.executable, "-c", script, *command], check=False)
    with open_for_reading(sibling.parent / "two") as store:
        taken = store.count("SELECT count(*) FROM cells")
        (recorded,) = store.sessions()[-1]["taken_over"]
    run, said = run_beside(sibling.parent / "two", planted_maps, clusterers=BOTH)

    assert killed.returncode == -signal.SIGKILL
    assert taken == recorded["cells"] == 2
    assert said[0] == "took over 4 of 12 cells from one"
    assert_same(run, both_clusterers)
