"""Runs that take over what runs beside them computed: real runs on real files."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

import harness
from harness.errors import HarnessError
from harness.planning.progress import Progress
from harness.store import FILE_NAME, open_for_reading, open_for_writing
from support.maps import planted_weights
from support.runs import Command, small_command, small_run

# Maps of controls are drawn, levels selected, and maps perturbed at them.
CHANGES = {
    "controls": "permuted-rows",
    "selectors": "stable-phase[beyond_noise=false]",
    "perturbations": "edge-dropout",
    "nulls": 3,
    "levels": 6,
}
BOTH = "louvain,label-propagation"


class Heard(Progress):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, line: str) -> None:
        self.lines.append(line)

    def taken(self, folder: Path) -> list[str]:
        """What was said of siblings of the run in a folder."""
        return [
            line.removeprefix(f"{folder}: ").replace(f"{folder.parent}/", "")
            for line in self.lines
            if line.startswith(f"{folder}: ")
        ]


def run_beside(out: Path, maps: Path, **changes: Any) -> tuple[harness.Run, list[str]]:
    """A run that may take over from the runs beside it, and what it says of them."""
    heard = Heard()
    run = small_run(out, maps, **{**CHANGES, "cache": None, "progress": heard, **changes})
    return run, heard.taken(out)


def tables(run: harness.Run) -> list[pandas.DataFrame]:
    """All tables, without the times."""
    measured = ["seconds", "peak_memory"]
    return [
        run.cells().drop(columns=measured),
        run.points().drop(columns="seconds"),
        run.selections(),
        run.tests(),
        run.stabilities(),
    ]


def assert_same(run: harness.Run, other: harness.Run) -> None:
    for one, two in zip(tables(run), tables(other), strict=True):
        pandas.testing.assert_frame_equal(one, two)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def change_session(folder: Path, expression: str) -> None:
    with open_for_writing(folder) as store, store.connection as connection:
        connection.execute(f"UPDATE sessions SET value = {expression}")


@pytest.fixture(scope="module")
def computed(planted_maps: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one clusterer; not to be written to."""
    out = tmp_path_factory.mktemp("computed") / "one"
    small_run(out, planted_maps, **CHANGES)
    return out


@pytest.fixture(scope="module")
def alone(planted_maps: Path, tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    """A run of both clusterers that takes over nothing."""
    out = tmp_path_factory.mktemp("alone") / "both"
    return small_run(out, planted_maps, **CHANGES, clusterers=BOTH)


@pytest.fixture
def sibling(computed: Path, tmp_path: Path) -> Path:
    """The run of one clusterer, in the test's results."""
    return Path(shutil.copytree(computed, tmp_path / "results" / "one"))


@pytest.mark.parametrize("isolation", ["none", "process"])
def test_one_more_clusterer_is_all_that_is_computed(
    sibling: Path, planted_maps: Path, alone: harness.Run, isolation: str
) -> None:
    before = contents(sibling)
    run, said = run_beside(
        sibling.parent / "two", planted_maps, clusterers=BOTH, isolation=isolation
    )

    assert_same(run, alone)
    assert alone.stabilities().kind.eq("edge-dropout").any()
    assert said[0] == "took over 6 of 12 cells and 3 maps from one"
    perturbed = run.cells().query("role == 'perturbation'").clusterer.value_counts()
    assert said[1] == (
        f"took over {perturbed['louvain']} of {perturbed.sum()} perturbed cells from one"
    )
    assert contents(sibling) == before


def test_cells_that_were_taken_over_keep_the_seconds_of_their_computation(
    sibling: Path, planted_maps: Path
) -> None:
    run, _ = run_beside(sibling.parent / "two", planted_maps, clusterers=BOTH)
    then = harness.open_run(sibling).cells().set_index("cell")
    now = run.cells().set_index("cell").loc[then.index]

    assert now.seconds.equals(then.seconds)
    assert now.peak_memory.equals(then.peak_memory)


def test_a_session_records_what_came_from_where(sibling: Path, planted_maps: Path) -> None:
    run, _ = run_beside(sibling.parent / "two", planted_maps, clusterers=BOTH)
    (session,), (source,) = run.sessions(), harness.open_run(sibling).sessions()
    (taken,) = session["taken_over"]

    assert taken["run"] == str(sibling)
    assert taken["cells"] == len(harness.open_run(sibling).cells())
    assert taken["maps"] == 3
    (described,) = taken["sessions"]
    assert described == {name: source[name] for name in described}
    assert described["environment"]["harness"] == harness.__version__
    assert session["source"]["digest"] == source["source"]["digest"]


def test_one_more_selector_computes_no_cell_of_a_profile(
    sibling: Path, planted_maps: Path, tmp_path: Path
) -> None:
    selectors = f"{CHANGES['selectors']},max-modularity"
    run, said = run_beside(sibling.parent / "two", planted_maps, selectors=selectors)
    other = small_run(tmp_path / "alone", planted_maps, **{**CHANGES, "selectors": selectors})

    assert said[0].startswith("took over 6 of 6 cells")
    assert_same(run, other)


def test_more_maps_compute_their_own_cells_only(tmp_path: Path) -> None:
    maps = tmp_path / "maps"
    maps.mkdir()
    for seed in range(2):
        np.save(maps / f"{seed}.npy", planted_weights(seed))
    changes = {"pooling": "image"}
    run_beside(tmp_path / "results" / "two", maps, **changes)
    np.save(maps / "2.npy", planted_weights(2))
    run, said = run_beside(tmp_path / "results" / "three", maps, **changes)

    assert said[0] == "took over 8 of 12 cells and 6 maps from two"
    assert_same(run, small_run(tmp_path / "alone", maps, **{**CHANGES, **changes}))


def test_a_run_of_the_same_settings_elsewhere_computes_nothing(
    sibling: Path, planted_maps: Path
) -> None:
    run, said = run_beside(sibling.parent / "again", planted_maps)
    session = run.sessions()[-1]

    assert said[0] == "took over 6 of 6 cells and 3 maps from one"
    assert not session["computed"]
    assert_same(run, harness.open_run(sibling))
    third, said = run_beside(sibling.parent / "third", planted_maps)
    assert said[0] == "took over 6 of 6 cells and 3 maps from again"
    assert_same(third, run)


def test_cells_of_a_plugin_that_was_edited_are_computed_anew(
    planted_maps: Path, tmp_path: Path
) -> None:
    plugin = tmp_path / "mine.py"
    source = (
        "import dataclasses, harness, numpy\n"
        "@dataclasses.dataclass(frozen=True)\n"
        "class Mine(harness.Clusterer):\n"
        '    """Halves."""\n'
        "    name = 'mine'\n"
        "    def cluster(self, graph, *, seed):\n"
        "        return numpy.arange(graph.n) % 2\n"
        "@harness.hookimpl\n"
        "def harness_clusterers():\n"
        "    return [Mine]\n"
    )
    plugin.write_text(source)
    changes = {"clusterers": "louvain,mine", "plugins": [plugin]}
    run_beside(tmp_path / "results" / "before", planted_maps, **changes)
    plugin.write_text(source.replace("% 2", "% 3"))
    run, said = run_beside(tmp_path / "results" / "after", planted_maps, **changes)

    assert said[0] == "took over 6 of 12 cells and 3 maps from before"
    mine = run.points().query("clusterer == 'mine'")
    assert set(mine.n_clusters) == {3}


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("json_set(value, '$.source.digest', 'other')", "other source of the harness"),
        ("json_remove(value, '$.source.digest')", "other source of the harness"),
        (
            "json_set(value, '$.environment.libraries.numpy', '1.0')",
            f"numpy 1.0 there, {np.__version__} now",
        ),
        (
            "json_remove(value, '$.environment.libraries.numpy')",
            f"numpy none there, {np.__version__} now",
        ),
        ("json_set(value, '$.environment.threads.extraction', 2)", "extraction 2 there, 1 now"),
        ("json_set(value, '$.mixed', json('true'))", "Dask workers may have had other versions"),
    ],
)
def test_nothing_is_taken_from_what_other_code_or_versions_computed(
    sibling: Path, planted_maps: Path, expression: str, reason: str
) -> None:
    change_session(sibling, expression)
    run, said = run_beside(sibling.parent / "two", planted_maps)

    assert said == [f"passed over 1 run of other code or versions: one ({reason})"]
    assert "taken_over" not in run.sessions()[-1]


def test_an_execution_that_computed_nothing_does_not_count(
    sibling: Path, planted_maps: Path
) -> None:
    small_run(sibling, planted_maps, **CHANGES)
    with open_for_writing(sibling) as store:
        source = {"digest": "other"}
        store.change_session({"source": source})
        assert not store.sessions()[-1]["computed"]
    _, said = run_beside(sibling.parent / "two", planted_maps)

    assert said[0].startswith("took over 6 of 6 cells")


def test_versions_of_packages_that_no_shared_component_uses_do_not_count(
    sibling: Path, planted_maps: Path
) -> None:
    change_session(sibling, "json_set(value, '$.environment.libraries.torch', '1.0')")
    _, said = run_beside(sibling.parent / "two", planted_maps)

    assert said[0].startswith("took over 6 of 6 cells")


def test_what_a_forced_component_took_part_in_is_computed_anew(
    sibling: Path, planted_maps: Path, alone: harness.Run
) -> None:
    run_beside(sibling.parent / "two", planted_maps, clusterers=BOTH)
    run, said = run_beside(sibling.parent / "three", planted_maps, clusterers=BOTH, force="louvain")
    cells = run.cells().query("role == 'perturbation'").clusterer.value_counts()

    assert said == [
        "took over 6 of 12 cells and 3 maps from two",
        f"took over {cells['label-propagation']} of {cells.sum()} perturbed cells from two",
    ]
    assert_same(run, alone)
    _, said = run_beside(sibling.parent / "four", planted_maps, force="permuted-rows")
    assert said[0] == "took over 3 of 6 cells from three"


def test_cells_that_failed_are_tried_again(
    planted_maps: Path, tmp_path: Path, hostile: Path
) -> None:
    changes = {"clusterers": "louvain,raising", "plugins": [hostile]}
    run_beside(tmp_path / "results" / "one", planted_maps, **changes)
    run, said = run_beside(tmp_path / "results" / "two", planted_maps, **changes)

    assert said[0] == "took over 6 of 12 cells and 3 maps from one"
    assert run.statuses()["failed"] == 3


@pytest.mark.parametrize("retry_failed", [False, True])
def test_a_cell_that_failed_here_is_taken_over_if_it_is_to_be_tried_again(
    sibling: Path, planted_maps: Path, retry_failed: bool
) -> None:
    out = sibling.parent / "two"
    small_run(out, planted_maps, **CHANGES)
    with open_for_writing(out) as store, store.connection as connection:
        connection.execute(
            "UPDATE cells SET status = 'timed out' WHERE cell = "
            "(SELECT cell FROM planned WHERE point IS NULL LIMIT 1)"
        )
    _, said = run_beside(out, planted_maps, retry_failed=retry_failed)

    assert said == (["took over 1 of 6 cells from one"] if retry_failed else [])


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
    sibling: Path, planted_maps: Path, computed: Path, change: Callable[[Path], None]
) -> None:
    change(sibling)
    before = contents(sibling)
    run, _ = run_beside(sibling.parent / "two", planted_maps)

    assert_same(run, harness.open_run(computed))
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
    sibling: Path, planted_maps: Path, computed: Path, monkeypatch: pytest.MonkeyPatch
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
    assert_same(run, harness.open_run(computed))


def test_runs_elsewhere_are_named(
    sibling: Path, planted_maps: Path, tmp_path: Path, alone: harness.Run
) -> None:
    for number, cache in enumerate([sibling, sibling.parent, [tmp_path, sibling]]):
        out = tmp_path / f"elsewhere-{number}" / "two"
        if cache == [tmp_path, sibling]:
            with pytest.raises(HarnessError, match=r"cache: .*: no run is there"):
                run_beside(out, planted_maps, clusterers=BOTH, cache=cache)
            continue
        run, said = run_beside(out, planted_maps, clusterers=BOTH, cache=cache)
        assert said[0] == f"took over 6 of 12 cells and 3 maps from {sibling}"
        assert_same(run, alone)


def test_none_takes_over_nothing(sibling: Path, planted_maps: Path) -> None:
    run, said = run_beside(sibling.parent / "two", planted_maps, cache="none")

    assert said == []
    assert "taken_over" not in run.sessions()[-1]
    with pytest.raises(HarnessError, match="cache: none stands alone"):
        run_beside(sibling.parent / "three", planted_maps, cache=["none", sibling])


def test_runs_of_other_users_have_to_be_named(
    sibling: Path, planted_maps: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    _, unnamed = run_beside(sibling.parent / "two", planted_maps)
    monkeypatch.setattr(os, "getuid", lambda: user + 2)
    _, named = run_beside(sibling.parent / "three", planted_maps, cache=sibling)

    assert unnamed == []
    assert named[0] == "took over 6 of 6 cells and 3 maps from one"


def test_a_run_written_in_scratch_takes_over_too(
    sibling: Path, planted_maps: Path, alone: harness.Run, tmp_path: Path
) -> None:
    run, said = run_beside(
        sibling.parent / "two", planted_maps, clusterers=BOTH, scratch=tmp_path / "scratch"
    )

    assert "took over 6 of 12 cells and 3 maps from one" in said
    assert_same(run, alone)


def test_an_estimate_counts_what_would_be_taken_over(
    harness_command: Command, sibling: Path, planted_maps: Path
) -> None:
    options = {**CHANGES, "clusterers": BOTH, "cache": sibling, "out": "results/two"}
    finished = harness_command(*small_command(planted_maps, "--dry-run", "--json", **options))
    estimate = json.loads(finished.stdout)

    assert (estimate["cells"], estimate["cached"], estimate["new"]) == (12, 6, 6)
    assert estimate["taken_over"] == {str(sibling): 6}
    assert f"results/two: would take over 6 of 12 cells from {sibling}\n" in finished.stderr
    assert not (sibling.parent / "two").exists()
    harness_command(*small_command(planted_maps, **options))
    finished = harness_command(*small_command(planted_maps, "--dry-run", "--json", **options))
    assert json.loads(finished.stdout)["taken_over"] == {}


def test_a_leaderboard_says_that_cells_came_from_a_run_without_isolation(
    harness_command: Command, sibling: Path, planted_maps: Path
) -> None:
    run_beside(sibling.parent / "two", planted_maps, isolation="process")
    finished = harness_command("leaderboard", sibling.parent / "two")

    assert "without isolation" in " ".join(finished.stdout.split())


def command_in(results: Path, maps: Path, out: str, **changes: object) -> list[str]:
    options = {**CHANGES, "cache": results, "clusterers": BOTH, "out": results / out, **changes}
    given = small_command(maps, **options)
    where = given.index("--cache")
    return [sys.executable, "-m", "harness", *given[:where], *given[where + 2 :]]


def test_runs_at_the_same_time_take_over_from_each_other_without_harm(
    planted_maps: Path, tmp_path: Path, alone: harness.Run
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
        assert_same(harness.open_run(results / f"run-{number}"), alone)
        assert not list((results / f"run-{number}").glob(f"{FILE_NAME}-*"))


def test_a_run_that_is_killed_while_it_takes_over_is_resumed(
    sibling: Path, planted_maps: Path, alone: harness.Run
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
    assert_same(run, alone)
