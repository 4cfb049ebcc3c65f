import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas
import pytest

import harness
from harness.store import open_for_writing
from support.runs import Command, six_cells

# What may differ between two runs of the same thing.
TIMES = ["seconds"]
# For components that end or leave the process they run in.
ISOLATED = ("--isolation", "process")


def points(folder: Path) -> pandas.DataFrame:
    return harness.open_run(folder).points().drop(columns=TIMES)


def test_a_run_prints_its_leaderboard_as_documented_json(
    harness_command: Command, planted: Path
) -> None:
    finished = harness_command(*six_cells(planted, "--json", "--out", "out"))

    assert finished.returncode == 0, finished.stderr
    document = json.loads(finished.stdout)
    assert document["run"] == "out"
    (row,) = document["rows"]
    assert set(row) >= {
        "rank", "clusterer", "selector", "graph", "extractor", "modularity", "control_modularity",
        "excess", "effect", "effect_low", "effect_high", "jaccard", "jaccard_levels", "n_clusters",
        "coverage", "ok", "total", "seconds", "false_alarms",
    }  # fmt: skip
    assert (row["ok"], row["total"], row["jaccard_seeds"]) == (3, 3, None)
    assert row["jaccard"] == row["jaccard_levels"] > 0.5
    assert row["excess"] == pytest.approx(row["modularity"] - row["control_modularity"])
    assert row["effect_low"] < row["effect"] < row["effect_high"]
    assert row["effect"] > 0.1


def test_the_table_names_every_method_and_the_control(
    harness_command: Command, planted: Path
) -> None:
    finished = harness_command(
        *six_cells(planted, "--clusterers", "louvain[resolution=[0.5,1]],infomap")
    )

    assert finished.returncode == 0, finished.stderr
    for word in ("louvain[resolution=0.5]", "louvain ", "infomap", "permuted-rows", "3/3"):
        assert word in finished.stdout


def test_a_run_without_a_control_says_so(harness_command: Command, planted: Path) -> None:
    finished = harness_command(*six_cells(planted, "--controls", "none"))

    assert finished.returncode == 0
    assert "without a control" in finished.stdout


def test_the_same_command_again_computes_nothing(harness_command: Command, planted: Path) -> None:
    first = harness_command(*six_cells(planted, "--json"))
    estimate = harness_command(*six_cells(planted, "--dry-run", "--json"))
    second = harness_command(*six_cells(planted, "--json"))

    assert json.loads(estimate.stdout)["new"] == 0
    # With the seconds of the cells.
    assert first.stdout == second.stdout


def test_a_dry_run_counts_and_leaves_nothing_behind(
    harness_command: Command, planted: Path, tmp_path: Path
) -> None:
    finished = harness_command(*six_cells(planted, "--dry-run", "--out", "out"))

    assert finished.stdout.strip() == (
        "out: 6 cells (3 of maps, 3 of controls), 0 cached, 6 new; "
        "no like cell was timed here for 6\n"
        "permuted-rows: 3 draws a test: p is at least .25, too large for q ≤ .05 even if all 3 "
        "tests reach it"
    )
    assert not (tmp_path / "out").exists()


def test_a_second_clusterer_adds_only_its_own_cells(
    harness_command: Command, planted: Path
) -> None:
    harness_command(*six_cells(planted, "--out", "out"))
    finished = harness_command(
        *six_cells(planted, "--out", "out", "--clusterers", "louvain,infomap"),
        *("--overwrite", "--dry-run", "--json"),
    )

    counts = json.loads(finished.stdout)
    assert (counts["cells"], counts["cached"], counts["new"]) == (12, 6, 6)


@pytest.mark.slow
def test_the_number_of_workers_changes_no_digit(
    harness_command: Command, planted: Path, tmp_path: Path
) -> None:
    clusterers = ("--clusterers", "louvain,infomap,sdp")
    harness_command(*six_cells(planted, *clusterers, "--out", "one", "-j", 1, *ISOLATED))
    harness_command(*six_cells(planted, *clusterers, "--out", "two", "-j", 2, *ISOLATED))

    pandas.testing.assert_frame_equal(points(tmp_path / "one"), points(tmp_path / "two"))


def test_the_order_of_the_inputs_changes_no_digit(
    harness_command: Command, planted: Path, tmp_path: Path
) -> None:
    harness_command(*six_cells(planted, "--out", "one"))
    turned = tmp_path / "turned"
    turned.mkdir()
    for number, path in enumerate(sorted(planted.iterdir(), reverse=True)):
        (turned / f"{number}.npy").write_bytes(path.read_bytes())
    harness_command(*six_cells(turned, "--out", "two"))

    columns = ["cell", "role", "draw", "point", "modularity", "labels"]
    one, two = (
        points(tmp_path / name)[columns].sort_values(["cell", "point"], ignore_index=True)
        for name in ("one", "two")
    )
    # The extractor's path is part of its spec and so of the key: compare by content.
    order = ["modularity", "point", "role"]
    pandas.testing.assert_frame_equal(
        one.drop(columns="cell").sort_values(order, ignore_index=True),
        two.drop(columns="cell").sort_values(order, ignore_index=True),
    )


@pytest.mark.slow
def test_failing_cells_cost_themselves_only(
    harness_command: Command, planted: Path, hostile: Path
) -> None:
    finished = harness_command(
        *six_cells(planted, "--plugin", hostile, "--json", "--out", "out", *ISOLATED),
        *("--clusterers", "exiting,raising,fractional,killed,louvain"),
    )

    assert finished.returncode == 2
    ok = {row["clusterer"]: row["ok"] for row in json.loads(finished.stdout)["rows"]}
    assert ok == {"louvain": 3, "exiting": 0, "raising": 0, "fractional": 0, "killed": 0}
    assert "raising on planted-0: failed: RuntimeError: first line second line" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_failures_are_computed_again_on_demand_only(
    harness_command: Command, planted: Path, hostile: Path, tmp_path: Path
) -> None:
    arguments = six_cells(planted, "--plugin", hostile, "--clusterers", "raising", "--out", "out")
    codes, seconds = [], []
    for more in ([], [], ["--retry-failed"]):
        codes.append(harness_command(*arguments, *more).returncode)
        seconds.append(harness.open_run(tmp_path / "out").cells().seconds)

    assert codes == [2, 2, 2]
    assert (seconds[0] == seconds[1]).all()
    assert (seconds[1] != seconds[2]).any()


@pytest.fixture
def interrupted(planted: Path, hostile: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run that has computed some cells and now hangs in a clusterer that never ends."""
    arguments = [
        *six_cells(planted, "--plugin", hostile, "--out", "out", "-j", 1, *ISOLATED),
        "--clusterers", "louvain,sleeping",
    ]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *map(str, arguments)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.1)
        try:
            if harness.open_run(tmp_path / "out").statuses().get("ok"):
                break
        except (harness.HarnessError, KeyError):
            continue
    yield process
    process.kill()
    process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_run_that_was_stopped_goes_on_where_it_was(
    interrupted: subprocess.Popen[str],
    harness_command: Command,
    planted: Path,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    os.kill(interrupted.pid, number)
    _, errors = interrupted.communicate(timeout=20)

    assert interrupted.returncode != 0
    assert "Traceback" not in errors
    before = harness.open_run(tmp_path / "out").cells().query("clusterer == 'louvain'")
    before = before.set_index("cell").seconds.dropna()
    assert 0 < len(before) < 6
    # Without the clusterer that never ends.
    finished = harness_command(*six_cells(planted, "--out", "out", "--overwrite"))
    assert finished.returncode == 0, finished.stderr
    after = harness.open_run(tmp_path / "out").cells().set_index("cell").seconds
    assert (after[before.index] == before).all()
    harness_command(*six_cells(planted, "--out", "whole"))
    pandas.testing.assert_frame_equal(points(tmp_path / "out"), points(tmp_path / "whole"))


@pytest.mark.slow
def test_an_interrupted_run_says_how_to_go_on(interrupted: subprocess.Popen[str]) -> None:
    os.kill(interrupted.pid, signal.SIGINT)
    _, errors = interrupted.communicate(timeout=20)

    assert interrupted.returncode == 130
    assert errors.endswith("harness: interrupted; run the same command again to resume\n")


def test_a_damaged_map_file_is_made_again(
    harness_command: Command, planted: Path, tmp_path: Path
) -> None:
    harness_command(*six_cells(planted, "--out", "out"))
    for path in (tmp_path / "out" / "maps").iterdir():
        path.write_bytes(b"")

    again = ("--clusterers", "infomap", "--overwrite")
    finished = harness_command(*six_cells(planted, "--out", "out", *again))

    assert finished.returncode == 0, finished.stderr


def test_a_run_with_other_settings_is_left_as_it_is_unless_it_may_be_replaced(
    harness_command: Command, planted: Path, tmp_path: Path
) -> None:
    harness_command(*six_cells(planted, "--out", "out"))
    before = harness.open_run(tmp_path / "out").settings()
    other = six_cells(planted, "--out", "out", "--levels", 4, "--nulls", 4)

    refused = harness_command(*other)
    kept = harness.open_run(tmp_path / "out").settings()
    replaced = harness_command(*other, "--overwrite")

    assert refused.returncode == 1
    (line,) = [text for text in refused.stderr.splitlines() if not text.startswith("isolation")]
    assert "out: holds a run with other settings (levels 6 there, 4 now; nulls 3 there, 4" in line
    assert kept == before
    assert replaced.returncode == 0, replaced.stderr
    assert harness.open_run(tmp_path / "out").settings()["levels"] == 4


@pytest.mark.parametrize("more", [(), ("--overwrite",), ("--dry-run",)])
def test_no_run_is_written_among_other_files(
    harness_command: Command, planted: Path, more: tuple[str, ...]
) -> None:
    before = {path: path.read_bytes() for path in planted.iterdir()}

    refused = harness_command(*six_cells(planted, "--out", planted, *more))

    assert refused.returncode == 1
    assert "neither empty nor a run (it holds planted-0.npy)" in refused.stderr
    assert {path: path.read_bytes() for path in planted.iterdir()} == before


def test_maps_of_several_sizes_are_selected_each_with_controls_of_its_own(
    harness_command: Command, planted: Path
) -> None:
    np.save(planted / "larger.npy", np.random.default_rng(0).random((50, 50)))

    finished = harness_command(
        *six_cells(planted, "--graphs", "threshold[axis=absolute]", "--json")
    )

    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["rows"][0]["ok"] == 4


def test_a_run_that_cannot_begin_leaves_no_folder_behind(
    harness_command: Command, tmp_path: Path
) -> None:
    harness_command("run", "--images", "folder[path=nowhere]", "--out", "out")

    assert not (tmp_path / "out").exists()


def test_controls_of_images_do_not_apply_to_stored_maps_and_that_is_said(
    harness_command: Command, planted: Path
) -> None:
    finished = harness_command(*six_cells(planted, "--controls", "uniform-noise"))

    assert "no control is drawn from its maps by uniform-noise" in finished.stderr
    assert "without a control" in finished.stdout


def test_a_run_begun_with_other_versions_is_resumed_on_demand_only(
    harness_command: Command, planted: Path, tmp_path: Path
) -> None:
    arguments = six_cells(planted, "--out", "out")
    harness_command(*arguments)
    with open_for_writing(tmp_path / "out") as store, store.connection as connection:
        connection.execute(
            "UPDATE sessions SET value = json_set(value, '$.environment.libraries.numpy', '1.0')"
        )

    refused = harness_command(*arguments)
    allowed = harness_command(*arguments, "--any-environment")

    assert refused.returncode == 1
    assert "computed in another environment (numpy 1.0 then, " in refused.stderr
    assert allowed.returncode == 0
    versions = [
        session["environment"]["libraries"]["numpy"]
        for session in harness.open_run(tmp_path / "out").sessions()
    ]
    assert versions == ["1.0", np.__version__]


@pytest.mark.parametrize(
    "change",
    [
        "json_remove(value, '$.environment.libraries.igraph')",
        "json_set(value, '$.environment.libraries.torch', '1.0')",
        "json_set(value, '$.environment.libraries.gone', '1.0')",
        "json_set(value, '$.environment.plugins.another', '1.0')",
    ],
)
def test_packages_that_the_run_does_not_use_do_not_matter(
    harness_command: Command, planted: Path, tmp_path: Path, change: str
) -> None:
    arguments = six_cells(planted, "--out", "out")
    harness_command(*arguments)
    with open_for_writing(tmp_path / "out") as store, store.connection as connection:
        connection.execute(f"UPDATE sessions SET value = {change}")

    resumed = harness_command(*arguments)

    assert resumed.returncode == 0, resumed.stderr
