"""Whole runs beside plugins that misbehave, on full disks, killed, edited, run twice."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas
import pytest

import harness
from support import PLUGINS
from support.runs import Command, small_command

pytestmark = pytest.mark.slow


def small(folder: Path, *more: object) -> list[str]:
    """A run of six cells a clusterer, in worker processes."""
    plugins = ("--plugin", PLUGINS / "isolation.py", "--plugin", PLUGINS / "slow.py")
    return small_command(
        folder, *plugins, *more, isolation="process", controls="permuted-rows", nulls=3, levels=6
    )


def points(folder: Path) -> pandas.DataFrame:
    return harness.open_run(folder).points().drop(columns="seconds")


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts `harness` and goes on; ends what is left of it."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: object) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-m", "harness", *map(str, arguments)],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def wait_for_cells(folder: Path, status: str = "ok") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.05)
        try:
            if harness.open_run(folder).statuses().get(status):
                return
        except harness.HarnessError:
            continue
    raise AssertionError(f"no cell of {folder} became {status}")


def test_five_hostile_clusterers_cost_their_own_cells_and_louvain_is_complete(
    harness_command: Command, planted: Path, tmp_path: Path
) -> None:
    hostile = {
        "ending[mode='hard exit']": ("killed", "the process exited with code 0"),
        "ending[mode=null]": ("killed", "the process died of SIGSEGV"),
        "endless[mode=native]": ("timed out", "not done within the time limit of 1 s"),
        "greedy[mode='bit by bit']": ("failed", "out of memory: it may take 0.5 GiB"),
        "wrong[mode=nan]": ("invalid", "at level 0: labels must be integers, not float64"),
    }
    clusterers = ",".join(["louvain", *hostile])
    finished = harness_command(
        *small(planted, "--clusterers", clusterers, "--json", "--out", "out"),
        *("--timeout", "60,endless=1", "--memory", 0.5),
    )

    assert finished.returncode == 2, finished.stderr
    ok = {row["clusterer"]: row["ok"] for row in json.loads(finished.stdout)["rows"]}
    assert ok.pop("louvain") == 3
    assert set(ok.values()) == {0}
    cells = harness.open_run(tmp_path / "out").cells()
    for spec, (status, reason) in hostile.items():
        name = spec.replace("'", '"') if "'" in spec else spec
        of_it = cells[cells.clusterer == name]
        assert of_it.role.value_counts().to_dict() == {"observed": 3, "control": 3}
        assert set(of_it[of_it.role == "control"].status) == {"skipped"}
        of_it = of_it[of_it.role == "observed"]
        assert set(of_it.status) == {status}
        assert all(of_it.reason.str.startswith(reason))
        assert (of_it.seconds > 0).all()
        assert (of_it.peak_memory > 1 << 24).all()
    alone = harness_command(*small(planted, "--out", "alone"))
    assert alone.returncode == 0
    both = [points(tmp_path / name).query("clusterer == 'louvain'") for name in ("out", "alone")]
    pandas.testing.assert_frame_equal(*(frame.reset_index(drop=True) for frame in both))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--timeout", "louvian=3"], "there is no clusterer 'louvian'; did you mean 'louvain'?"),
        (["--timeout", "louvain=never"], "timeout of louvain: expected a positive number"),
        (["--timeout", "=3"], "timeout: the name of a clusterer is missing in '=3'"),
        (["--timeout", "soon"], "timeout: expected a positive number below 1e+07, not 'soon'"),
        (["--memory", "0"], "memory: expected a positive number below 1e+06, not 0.0"),
        (["--extraction-threads", "0"], "--extraction-threads: expected a whole number from 1"),
        (["--force", "louvian"], "force: this run has no component 'louvian'; did you mean"),
        (["--force", "excess-modularity"], "force: this run has no component 'excess-modularity'"),
    ],
)
def test_a_mistake_costs_one_clear_line(
    harness_command: Command, planted: Path, arguments: list[str], line: str
) -> None:
    finished = harness_command(*small(planted), *arguments)

    assert finished.returncode == 1
    assert finished.stdout == ""
    assert line in finished.stderr.splitlines()[-1]


def test_what_a_component_had_a_part_in_is_computed_again_on_demand(
    harness_command: Command, planted: Path, tmp_path: Path
) -> None:
    both = small(planted, "--clusterers", "louvain,infomap", "--out", "out")
    harness_command(*both)
    before, run = points(tmp_path / "out"), harness.open_run(tmp_path / "out")

    for component, cells in (
        ("infomap", "clusterer == 'infomap'"),
        ("permuted-rows", "role == 'control'"),
    ):
        seconds = run.cells().seconds
        harness_command(*both, "--force", component)
        after = run.cells()
        anew = after[after.seconds != seconds]
        assert set(anew.cell) == set(after.query(cells).cell)
    pandas.testing.assert_frame_equal(points(tmp_path / "out"), before)


def test_a_dry_run_judges_the_time_by_what_like_cells_took(
    harness_command: Command, planted: Path, tmp_path: Path
) -> None:
    slow = small(planted, "--clusterers", "slow[seconds=0.05]", "--out", "out")
    slow += ["--perturbations", "none"]
    harness_command(*slow, "-j", 1)
    more = harness_command(*slow, "--repeats", 3, "--overwrite", "--dry-run", "--json", "-j", 1)
    louvain = ("--clusterers", "louvain", "--overwrite")
    other = harness_command(*slow, *louvain, "--dry-run", "--json")

    estimate_cost = json.loads(more.stdout)
    assert (estimate_cost["cells"], estimate_cost["cached"], estimate_cost["new"]) == (18, 6, 12)
    took = harness.open_run(tmp_path / "out").cells().seconds
    assert estimate_cost["seconds"] == pytest.approx(12 * took.median(), rel=0.5)
    assert took.min() >= 6 * 0.05
    assert estimate_cost["untimed"] == 0
    assert json.loads(other.stdout)["untimed"] == 6


def test_a_dry_run_counts_what_would_be_computed_again(
    harness_command: Command, planted: Path
) -> None:
    run = small(planted, "--clusterers", "louvain,wrong[mode=nan]", "--out", "out")
    harness_command(*run)

    def counted(*arguments: str) -> tuple[int, int]:
        shown = json.loads(harness_command(*run, "--dry-run", "--json", *arguments).stdout)
        return shown["cached"], shown["new"]

    assert counted() == (12, 0)
    assert counted("--force", "louvain") == (6, 6)
    assert counted("--force", "permuted-rows") == (6, 6)
    assert counted("--retry-failed") == (6, 6)
    assert counted("--retry-failed", "--force", "louvain") == (0, 12)


def test_a_wrong_name_to_force_forgets_nothing(harness_command: Command, planted: Path) -> None:
    run = small(planted, "--out", "out")
    harness_command(*run)

    refused = [
        harness_command(*run, "--force", "louvain", "--force", "louvian", *more)
        for more in ([], ["--dry-run"])
    ]

    assert [each.returncode for each in refused] == [1, 1]
    assert "6 cached, 0 new" in harness_command(*run, "--dry-run").stdout


def test_maps_of_old_code_never_get_the_key_of_the_new(
    harness_command: Command, tmp_path: Path
) -> None:
    shutil.copy(PLUGINS / "editing.py", tmp_path)
    run = small_command(
        plugin="editing.py",
        extractors="editing",
        images="noise[count=1]",
        out="out",
        isolation="process",
    )

    first = harness_command(*run)
    old = set(harness.open_run(tmp_path / "out").cells().nodes)
    again = harness_command(*run)

    assert (first.returncode, again.returncode) == (0, 0), first.stderr
    assert old == {12}
    assert set(harness.open_run(tmp_path / "out").cells().nodes) == {13}


def test_finished_cells_are_stored_when_something_else_stops_the_run(
    harness_command: Command, planted: Path, tmp_path: Path
) -> None:
    stopped = harness_command(
        *small(planted, "--clusterers", "slow[seconds=0.0],untidy", "--out", "out", "-j", 1)
    )

    assert stopped.returncode == 1
    assert "the same command extracts it again" in stopped.stderr
    assert harness.open_run(tmp_path / "out").statuses() == {"missing": 10, "ok": 2}


def test_a_second_process_on_the_same_folder_is_refused_and_changes_nothing(
    started: Callable[..., "subprocess.Popen[str]"],
    harness_command: Command,
    planted: Path,
    tmp_path: Path,
) -> None:
    slow = small(planted, "--clusterers", "slow", "--out", "out")
    first = started(*slow)
    wait_for_cells(tmp_path / "out")

    second = harness_command(*slow)

    assert second.returncode == 1
    assert second.stderr.endswith("harness: out: another process is running in this folder\n")
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert harness.open_run(tmp_path / "out").statuses() == {"ok": 6}


def test_a_plugin_that_is_edited_in_mid_run_ends_it_and_the_new_code_goes_on(
    started: Callable[..., "subprocess.Popen[str]"],
    harness_command: Command,
    planted: Path,
    tmp_path: Path,
) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text((PLUGINS / "slow.py").read_text())
    # The worker of the second one dies, so that the next worker imports the plugin again.
    arguments = small_command(
        planted,
        *("--plugin", PLUGINS / "isolation.py", "--plugin", mine, "--out", "out", "-j", 1),
        isolation="process",
        controls="permuted-rows",
        nulls=3,
        levels=6,
    )
    running = started(*arguments, "--clusterers", "slow,ending[mode='hard exit']")
    wait_for_cells(tmp_path / "out")
    mine.write_text(mine.read_text().replace("% 2", "% 3"))
    _, errors = running.communicate(timeout=60)

    assert running.returncode == 1
    assert "clusterer slow: its code changed during the run" in errors
    assert "Traceback" not in errors
    again = harness_command(*arguments, "--clusterers", "slow", "--overwrite")
    assert again.returncode == 0
    assert set(points(tmp_path / "out").n_clusters) == {3}


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 KB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", folder],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_ends_a_run_which_goes_on_when_there_is_room(
    harness_command: Command, planted: Path, tmp_path: Path, tiny_disk: Path
) -> None:
    many = ("--levels", 32, "--repeats", 5)
    full = harness_command(*small(planted, *many, "--out", tiny_disk / "out"))

    assert full.returncode == 1
    assert "the disk is full; finished work is saved" in full.stderr
    assert "Traceback" not in full.stderr
    subprocess.run(["mount", "-o", "remount,size=64m", tiny_disk], check=True)
    finished = harness_command(*small(planted, *many, "--out", tiny_disk / "out"))
    assert finished.returncode == 0, finished.stderr
    harness_command(*small(planted, *many, "--out", "whole"))
    pandas.testing.assert_frame_equal(points(tiny_disk / "out"), points(tmp_path / "whole"))


def test_a_map_that_was_damaged_on_the_disk_is_extracted_again(
    harness_command: Command, planted: Path, tmp_path: Path
) -> None:
    harness_command(*small(planted, "--out", "out"))
    before = points(tmp_path / "out")
    for path in (tmp_path / "out" / "maps").iterdir():
        content = bytearray(path.read_bytes())
        content[-1] ^= 1
        path.write_bytes(content)

    again = harness_command(*small(planted, "--out", "out"), "--force", "louvain")

    assert again.returncode == 0, again.stderr
    pandas.testing.assert_frame_equal(points(tmp_path / "out"), before)


def test_the_process_group_of_a_killed_run_dies_with_it(
    started: Callable[..., "subprocess.Popen[str]"], planted: Path, tmp_path: Path
) -> None:
    clusterers = "louvain,endless[mode=native],endless[mode=children]"
    running = started(*small(planted, "--clusterers", clusterers, "--out", "out"))
    wait_for_cells(tmp_path / "out")
    time.sleep(1.0)
    assert len(_working_in(tmp_path)) >= 3

    os.kill(running.pid, signal.SIGKILL)

    deadline = time.monotonic() + 5
    while _working_in(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _working_in(tmp_path) == []


def _working_in(folder: Path) -> list[str]:
    """Command lines of all processes whose folder this is, but for the guardian's."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve() == folder:
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return [command for command in found if command]
