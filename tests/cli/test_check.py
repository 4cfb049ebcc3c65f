import argparse
import json

import pytest

from harness.cli import check
from harness.testing.targets import find_targets
from support import PLUGINS
from support.runs import Command


def test_a_component_that_keeps_every_law_is_reported_line_by_line(
    harness_command: Command,
) -> None:
    finished = harness_command("check", "permuted-rows")

    lines = finished.stdout.splitlines()
    assert finished.returncode == 0
    assert lines[0] == "control permuted-rows"
    assert lines[-1] == f"{len(lines) - 2} of {len(lines) - 2} laws are kept"
    assert all(line.startswith("ok    ") for line in lines[1:-1])


def test_a_broken_law_takes_one_line_that_says_what_to_do(harness_command: Command) -> None:
    finished = harness_command("check", PLUGINS / "misbehaving.py", "raising,fractional")

    assert finished.returncode == 1
    assert finished.stdout.splitlines() == [
        "clusterer raising",
        "FAIL  every node gets a label: RuntimeError: first line second line (misbehaving.py, line "
        "26); do not raise this, or catch it",
        "      12 more laws were not tried",
        "clusterer fractional",
        "FAIL  every node gets a label: at level 0: labels must be integers, not float64; return "
        "integers in a numpy array, one a node, −1 for no cluster, or a harness.Partition of it; "
        "copy the graph's arrays before you change them",
        "      12 more laws were not tried",
        "0 of 26 laws are kept",
    ]


def test_json_has_every_law(harness_command: Command) -> None:
    finished = harness_command("check", "--json", "seeds", "fixed")

    found = json.loads(finished.stdout)
    assert finished.returncode == 1
    assert {law["component"] for law in found["laws"]} == {"seeds"}
    assert all(law["kept"] for law in found["laws"])
    assert found["refused"] == ["selector fixed: fixed: level is required: fixed[level=…]"]


@pytest.mark.parametrize(
    ("words", "following"),
    [
        (["louvain"], ["run", "--clusterers", "louvain"]),
        (["kmeans", "louvain"], ["run", "--clusterers", "louvain,kmeans"]),
        (["top-k"], ["run", "--graphs", "top-k"]),
        (["conductance"], ["runs"]),
        (["slow.py"], ["run", "--plugin", "slow.py", "--clusterers", "louvain,slow"]),
    ],
)
def test_a_run_with_the_component_is_the_next_command(
    words: list[str], following: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(PLUGINS)
    arguments = argparse.Namespace(checked=find_targets(words))

    assert [*map(str, check.following(arguments))] == following


@pytest.mark.parametrize("limit", ["--timeout=0", "--memory=-1", "--timeout=nan"])
def test_a_limit_that_is_none_is_refused(harness_command: Command, limit: str) -> None:
    finished = harness_command("check", limit, "seeds")

    assert finished.returncode == 1
    assert finished.stderr.endswith("expected a number above 0\n")
