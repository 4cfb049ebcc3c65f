import json
import shutil
from pathlib import Path

import pandas
import pytest

import harness
from support.runs import Command, small_run

FIRST = "stable-phase[beyond_noise=false]"


def test_another_selector_is_listed_with_the_runs_own_and_nothing_is_clustered_again(
    harness_command: Command, finished: Path
) -> None:
    before = harness.open_run(finished).cells()

    shown = harness_command("select", finished, "--selectors", "max-modularity", "--json")

    assert shown.returncode == 0, shown.stderr
    rows = {(row["clusterer"], row["selector"]) for row in json.loads(shown.stdout)["rows"]}
    assert rows == {
        (name, how) for name in ("infomap", "louvain") for how in (FIRST, "max-modularity")
    }
    pandas.testing.assert_frame_equal(harness.open_run(finished).cells(), before)


def test_its_choices_are_tested_against_the_stored_nulls(
    harness_command: Command, finished: Path
) -> None:
    harness_command("select", finished, "--selectors", "excess-modularity[alpha=0.2]")

    chosen = harness.open_run(finished, "excess-modularity").tests()
    assert set(chosen.selector) == {"excess-modularity[alpha=0.2]"}
    assert len(chosen) == 2 * 3
    assert {len(drawn) for drawn in chosen.null_statistics} == {3}


def test_selecting_again_replaces_what_the_selector_chose(
    harness_command: Command, finished: Path
) -> None:
    harness_command("select", finished, "--selectors", "max-modularity")
    once = harness.open_run(finished).selections()
    harness_command("select", finished, "--selectors", "max-modularity")

    pandas.testing.assert_frame_equal(harness.open_run(finished).selections(), once)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere", "--selectors", "fixed"], "nowhere: no run is there"),
        (["out", "--selectors", "max-modulerity"], "did you mean 'max-modularity'?"),
        (["out", "--selectors", "louvain"], "'louvain' is no selector but a clusterer"),
        (["out"], "the following arguments are required: --selectors"),
    ],
)
def test_a_mistake_costs_one_line(
    harness_command: Command, finished: Path, arguments: list[str], line: str
) -> None:
    shown = harness_command("select", *arguments)

    assert shown.returncode == 1
    assert line in shown.stderr
    assert shown.stderr.count("\n") == 1


def test_a_selector_that_fails_is_reported_and_the_others_are_stored(
    harness_command: Command, finished: Path
) -> None:
    shown = harness_command("select", finished, "--selectors", "max-modularity,fixed[level=7]")

    assert shown.returncode == 2
    assert shown.stderr.splitlines()[-1] == "exit status 2: 6 selections failed"
    assert "level 7 is not among the levels of this run" in shown.stderr
    selections = harness.open_run(finished, ["max-modularity", "fixed"]).selections()
    assert set(selections[selections.status == "ok"].selector) == {"max-modularity"}
    assert set(selections[selections.status == "failed"].selector) == {"fixed[level=7.0]"}


READERS: list[list[object]] = [
    ["leaderboard", "out", "--csv"],
    ["leaderboard", "out", "--stability"],
    ["show", "out"],
    ["show", "out", "planted-0"],
    ["compare", "out", "before"],
    ["compare-partitions", "out", "planted-0", "--of", "louvain", "--with", "infomap"],
    ["export", "out", "--out", "tables", "--format", "csv"],
]


@pytest.mark.parametrize("arguments", READERS, ids=lambda arguments: " ".join(arguments[:2]))
def test_what_another_selector_chose_changes_no_other_command(
    harness_command: Command, finished: Path, tmp_path: Path, arguments: list[object]
) -> None:
    shutil.copytree(finished, tmp_path / "before")

    before = harness_command(*arguments)
    harness_command("select", finished, "--selectors", "max-modularity,fixed[level=0.5]")
    after = harness_command(*arguments)

    assert (after.returncode, after.stdout) == (before.returncode, before.stdout)


@pytest.mark.parametrize("name", ["max-modularity", "fixed", "fixed[level=0.5]", FIRST])
def test_a_selector_is_shown_alone_if_it_is_asked_for(
    harness_command: Command, finished: Path, name: str
) -> None:
    harness_command("select", finished, "--selectors", "max-modularity,fixed[level=0.5]")

    shown = harness_command("leaderboard", finished, "--selector", name, "--json")

    selectors = {row["selector"] for row in json.loads(shown.stdout)["rows"]}
    assert {selector for selector in selectors if not selector.startswith(name)} == set()
    assert len(selectors) == 1


def test_a_reference_may_name_any_selector(finished: Path) -> None:
    run = harness.open_run(finished)
    run.select("fixed[level=0.5]")

    assert run.partition("planted-0", "louvain@selector=fixed").selector == "fixed[level=0.5]"
    assert run.partition("planted-0", "louvain").selector == FIRST


def test_the_same_command_keeps_what_another_selector_chose_until_cells_change(
    planted: Path, tmp_path: Path
) -> None:
    run = small_run(tmp_path / "run", planted)
    run.select("fixed[level=0.5]")

    small_run(run.folder, planted)
    kept = len(harness.open_run(run.folder, "fixed").selections())
    small_run(run.folder, planted, force="louvain")

    assert kept == 3
    with pytest.raises(harness.HarnessError, match="has no selector 'fixed'"):
        harness.open_run(run.folder, "fixed")
