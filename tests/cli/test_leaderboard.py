import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

import harness
from harness.analysis.verdicts import Verdict
from harness.cli.main import main
from harness.metrics.reach import reach
from harness.views.leaderboard import show
from support.runs import Command


def test_json_and_csv_hold_the_same_rows(harness_command: Command, finished: Path) -> None:
    rows = json.loads(harness_command("leaderboard", finished, "--json").stdout)["rows"]
    table = list(
        csv.DictReader(harness_command("leaderboard", finished, "--csv").stdout.splitlines())
    )

    assert [row["clusterer"] for row in table] == [row["clusterer"] for row in rows]
    assert [float(row["effect"]) for row in table] == [row["effect"] for row in rows]
    assert [float(row["jaccard"]) for row in table] == [row["jaccard"] for row in rows]
    # Nothing was planted in these maps that the harness knows of.
    assert [row["ari"] for row in table] == ["", ""]


def test_rows_are_sorted_by_the_column_asked_for(harness_command: Command, finished: Path) -> None:
    shown = harness_command("leaderboard", finished, "--by", "clusterer", "--json")

    assert [row["clusterer"] for row in json.loads(shown.stdout)["rows"]] == ["infomap", "louvain"]


def test_several_runs_are_several_documents(harness_command: Command, finished: Path) -> None:
    shown = json.loads(harness_command("leaderboard", finished, finished, "--json").stdout)

    assert [document["run"] for document in shown] == [str(finished)] * 2


def test_heads_have_rows_of_their_own(harness_command: Command, finished: Path) -> None:
    table, document, sheet = (
        harness_command("leaderboard", finished, "--per", "head", *form).stdout
        for form in ((), ("--json",), ("--csv",))
    )

    rows = json.loads(document)["rows"]
    assert [(row["clusterer"], row["head"]) for row in rows] == [("infomap", 0), ("louvain", 0)]
    assert [float(row["effect"]) for row in csv.DictReader(sheet.splitlines())] == [
        row["effect"] for row in rows
    ]
    assert "Heads of each method by their effect" in table


def test_heads_are_in_an_order_of_their_own(harness_command: Command, finished: Path) -> None:
    shown = harness_command("leaderboard", finished, "--per", "head", "--by", "excess")

    assert shown.returncode == 1
    assert "--per head shows heads in the order of their effect" in shown.stderr


def test_pairs_of_methods_are_shown_with_their_tests(
    harness_command: Command, finished: Path
) -> None:
    shown = harness_command("leaderboard", finished, "--pairs").stdout

    assert "Pairs on" in shown
    assert "Friedman's test needs three complete methods and six images." in shown


def test_the_caveat_of_a_control_is_below_the_tables_that_have_its_p_values(
    harness_command: Command, finished: Path
) -> None:
    line = f"permuted-rows: {harness.make('control', 'permuted-rows').caveat()}."

    for per in ((), ("--per", "head")):
        assert line in " ".join(harness_command("leaderboard", finished, *per).stdout.split())
        document = json.loads(harness_command("leaderboard", finished, *per, "--json").stdout)
        assert list(document["caveats"]) == ["permuted-rows"]


def test_stabilities_name_the_least_stable_cluster(
    harness_command: Command, finished: Path
) -> None:
    shown = harness_command("leaderboard", finished, "--stability").stdout

    stabilities = harness.open_run(finished).stabilities()
    seeds = stabilities.query("clusterer == 'louvain' and kind == 'seeds' and weakest_cluster >= 0")
    least = seeds.sort_values("weakest_jaccard").iloc[0]
    assert (
        f"{least.weakest_jaccard:.2f}: cluster {least.weakest_cluster} of {least.image}, "
        f"{least.weakest_size} nodes"
    ) in shown


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_a_table_fits_its_console_and_says_what_it_leaves_out(finished: Path, width: int) -> None:
    console = Console(width=width, record=True, file=io.StringIO())
    show([harness.open_run(finished).leaderboard()], console)
    printed = console.export_text()
    lines = printed.splitlines()

    header = next(line for line in lines if line.startswith("tier"))
    row = next(line for line in lines if "louvain" in line)
    text = " ".join(printed.split())
    for column in ("clusterer", "effect", "Jaccard", "ok"):
        assert column in header
    assert "3/3" in row
    assert "…" not in header
    assert ("No room here for" in text) == (not header.rstrip().endswith(" s"))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere"], "harness: nowhere: no run is there (run.sqlite is missing)\n"),
        (
            ["out", "--by", "exces"],
            "harness: there is no column 'exces' to sort by; did you mean 'excess'?\n",
        ),
    ],
)
def test_a_mistake_costs_one_line(
    harness_command: Command, finished: Path, arguments: list[str], line: str
) -> None:
    shown = harness_command("leaderboard", *arguments)

    assert (shown.returncode, shown.stderr) == (1, line)


def test_layers_have_rows_of_their_own(deep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = {}
    for form in ("--json", "--csv"):
        assert main(["leaderboard", str(deep), "--per", "layer", form]) == 0
        shown[form] = capsys.readouterr().out
    rows = json.loads(shown["--json"])["rows"]
    assert [row["layer"] for row in rows] == [0, 1, 2] * 4
    assert {row["heads"] for row in rows} == {2}
    sheet = list(csv.DictReader(shown["--csv"].splitlines()))
    assert [float(row["effect"]) for row in sheet] == [row["effect"] for row in rows]
    assert main(["leaderboard", str(deep), "--per", "layer"]) == 0
    assert "intervals over images" in " ".join(capsys.readouterr().out.split())


def test_layers_are_in_an_order_of_their_own(
    deep: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["leaderboard", str(deep), "--per", "layer", "--pairs"]) == 1
    assert "--per layer shows layers in the order of depth" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("verdicts", "lines"),
    [
        ([], []),
        ([("a", "x", 1, 1)], []),
        ([("a", "x", 0, 0)], ["Nothing here is more than the control shows."]),
        ([("a", "x", 0, 0), ("b", "x", 1, 1)], []),
        ([("a", "x", 0, 0), ("a", "y", 1, 1)], ["Nothing here is more than x shows."]),
        (
            [("a", "x", 0, 2)],
            [
                "Too few draws to tell: 2 of 4 tests have the smallest p that there can be (chance "
                "gives 0.2), too few for q ≤ .05. --nulls 39 would settle it."
            ],
        ),
        (
            [("a", "x", 0, 2), ("b", "x", 0, 0), ("a", "y", 0, 0), ("b", "y", 0, 0)],
            [
                "Nothing here is more than y shows.",
                "Too few draws to tell under x by a: 2 of 4 tests have the smallest p that there "
                "can be (chance gives 0.2), too few for q ≤ .05. --nulls 39 would settle it.",
            ],
        ),
    ],
)
def test_too_few_draws_and_nothing_are_two_conclusions(
    finished: Path, verdicts: list[tuple[str, str, int, int]], lines: list[str]
) -> None:
    found = [
        Verdict(selector, control, reach([20] * 4), significant, smallest, 0.19, nulls)
        for selector, control, significant, smallest in verdicts
        for nulls in [39 if smallest and not significant else None]
    ]
    console = Console(width=300, record=True, file=io.StringIO())
    board = harness.open_run(finished).leaderboard()
    show([replace(board, verdicts=found, controls=board.controls[:1])], console)

    said = console.export_text().splitlines()
    assert [line for line in said if "draws to tell" in line or "Nothing here" in line] == lines
