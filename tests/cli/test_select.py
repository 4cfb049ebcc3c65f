import json
from pathlib import Path

import pandas
import pytest

import harness
from support.runs import Command

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

    tests = harness.open_run(finished).tests()
    chosen = tests[tests.selector == "excess-modularity[alpha=0.2]"]
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
    selections = harness.open_run(finished).selections()
    assert set(selections[selections.status == "ok"].selector) == {FIRST, "max-modularity"}
