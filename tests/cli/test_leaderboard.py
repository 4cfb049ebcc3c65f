import csv
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_json_and_csv_hold_the_same_rows(harness_command: Command, finished: Path) -> None:
    rows = json.loads(harness_command("leaderboard", finished, "--json").stdout)["rows"]
    table = list(
        csv.DictReader(harness_command("leaderboard", finished, "--csv").stdout.splitlines())
    )

    assert [row["clusterer"] for row in table] == [row["clusterer"] for row in rows]
    assert [float(row["excess"]) for row in table] == [row["excess"] for row in rows]
    assert [float(row["jaccard"]) for row in table] == [row["jaccard"] for row in rows]
    # Nothing was planted in these maps that the harness knows of.
    assert [row["ari"] for row in table] == ["", ""]


def test_rows_are_sorted_by_the_column_asked_for(harness_command: Command, finished: Path) -> None:
    shown = harness_command("leaderboard", finished, "--by", "clusterer", "--json")

    assert [row["clusterer"] for row in json.loads(shown.stdout)["rows"]] == ["infomap", "louvain"]


def test_several_runs_are_several_documents(harness_command: Command, finished: Path) -> None:
    shown = json.loads(harness_command("leaderboard", finished, finished, "--json").stdout)

    assert [document["run"] for document in shown] == [str(finished)] * 2


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere"], "harness: nowhere: no run is there (run.sqlite is missing)\n"),
        (["out", "--by", "exces"], "harness: --by exces: no such column; did you mean 'excess'?\n"),
    ],
)
def test_a_mistake_costs_one_line(
    harness_command: Command, finished: Path, arguments: list[str], line: str
) -> None:
    shown = harness_command("leaderboard", *arguments)

    assert (shown.returncode, shown.stderr) == (1, line)
