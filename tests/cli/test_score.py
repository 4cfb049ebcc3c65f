import json
import shutil
from pathlib import Path

import pandas
import pytest

import harness
from support import PLUGINS
from support.runs import Command

PLUGIN = PLUGINS / "scoring.py"
INLINE = ("--isolation", "none")


@pytest.fixture
def scored(finished: Path) -> harness.Run:
    """A run of two methods on three maps with two scores."""
    return harness.open_run(finished).score("conductance,code-length", isolation="none")


def test_scores_are_shown_below_the_leaderboard_with_the_controls(
    harness_command: Command, finished: Path
) -> None:
    shown = harness_command("score", finished, "--scores", "conductance,silhouette", *INLINE)

    assert shown.returncode == 0, shown.stderr
    table = " ".join(shown.stdout.partition("Scores\n")[2].split())
    row = harness.open_run(finished).leaderboard().to_frame().set_index("clusterer").loc["louvain"]
    assert f"{row.conductance:.3f} ({row.conductance_control:.3f})" in table
    assert "a smaller conductance is better" in table


def test_the_columns_of_a_score_are_means_over_accepted_maps_and_over_their_draws(
    scored: harness.Run,
) -> None:
    figures = scored.scores().query("score == 'code-length'")
    chosen = scored.selections().query("accepted").rename(columns={"candidate": "point"})
    keys = ["image", "clusterer", "point"]
    observed = chosen.merge(figures.query("role == 'observed'"), on=keys)
    drawn = figures.query("role == 'control'").groupby(keys).figure.mean().rename("control_figure")
    both = observed.join(drawn, on=keys).groupby("clusterer")

    board = scored.leaderboard().to_frame().set_index("clusterer")
    expected = both.figure.mean()
    for clusterer in expected.index:
        row = board.loc[clusterer]
        of_method = both.get_group(clusterer)
        assert row["code-length"] == pytest.approx(of_method.figure.mean())
        assert row["code-length_control"] == pytest.approx(of_method.control_figure.mean())
        assert row["code-length_difference"] == pytest.approx(
            (of_method.figure - of_method.control_figure).mean()
        )
        assert row["code-length_maps"] == len(of_method)


@pytest.mark.parametrize(("score", "rises"), [("code-length", True), ("contiguity", False)])
def test_sorting_by_a_score_puts_the_better_first(
    harness_command: Command, finished: Path, score: str, rises: bool
) -> None:
    arguments = ("--scores", score, "--by", score.upper(), "--json", *INLINE)

    shown = harness_command("score", finished, *arguments)

    assert shown.returncode == 0, shown.stderr
    values = [row[score] for row in json.loads(shown.stdout)["rows"]]
    known = [value for value in values if value is not None]
    assert known == sorted(known, reverse=not rises)
    assert values[: len(known)] == known


def test_a_leaderboard_without_scores_has_no_such_column(
    harness_command: Command, finished: Path
) -> None:
    shown = harness_command("leaderboard", finished, "--by", "conductance")

    assert shown.returncode == 1
    assert "there is no column 'conductance' to sort by" in shown.stderr


def test_csv_and_exported_tables_have_the_scores(
    harness_command: Command, scored: harness.Run, tmp_path: Path
) -> None:
    header = harness_command("leaderboard", scored.folder, "--csv").stdout.splitlines()[0]
    harness_command("export", scored.folder, "--out", "tables", "--format", "csv")

    assert "conductance,conductance_control,conductance_difference" in header
    exported = pandas.read_csv(tmp_path / "tables" / "scores.csv")
    pandas.testing.assert_series_equal(exported.figure, scored.scores().figure)


def test_levels_that_are_not_scored_yet_are_said(
    harness_command: Command, scored: harness.Run
) -> None:
    scored.select("fixed[level=0.98]")

    shown = harness_command("leaderboard", scored.folder, "--selector", "fixed")

    assert "Some levels have no code-length or conductance, or it failed" in shown.stdout


def test_failed_figures_are_counted_in_the_exit_status(
    harness_command: Command, finished: Path
) -> None:
    arguments = ("--scores", "raising,nodes", "--plugin", PLUGIN, *INLINE)

    shown = harness_command("score", finished, *arguments)

    failed = len(harness.open_run(finished).scores().query("reason != ''"))
    assert shown.returncode == 2
    assert shown.stderr.splitlines()[-1] == f"exit status 2: {failed} figures failed"
    assert "raising: RuntimeError: first line second line" in shown.stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nowhere", "--scores", "conductance"], "nowhere: no run is there"),
        (["out", "--scores", "conductanse"], "did you mean 'conductance'?"),
        (["out", "--scores", "conductance", "--timeout", "-1"], "--timeout"),
        (["out"], "the following arguments are required: --scores"),
    ],
)
def test_a_mistake_costs_one_line(
    harness_command: Command, finished: Path, arguments: list[str], line: str
) -> None:
    shown = harness_command("score", *arguments)

    assert shown.returncode == 1
    assert line in shown.stderr
    assert shown.stderr.count("\n") == 1


def test_runs_are_compared_by_the_scores_that_both_have(
    harness_command: Command, scored: harness.Run, computed: Path
) -> None:
    same = harness_command("compare", scored.folder, scored.folder, "--json")
    other = harness_command("compare", scored.folder, computed, "--json")

    metrics = {each["metric"]: each for each in json.loads(same.stdout)["methods"][0]["metrics"]}
    assert metrics["conductance"]["difference"] in (0.0, None)
    compared = json.loads(other.stdout)
    assert "conductance" not in {each["metric"] for each in compared["methods"][0]["metrics"]}
    assert "score conductance" in {each["name"] for each in compared["environment"]}


@pytest.mark.parametrize(
    ("limit", "code", "line"),
    [
        ("nodes:-5%", 3, "beyond nodes:-5%"),
        ("nodes:+5%", 1, "nodes is better when larger"),
        ("conductance:+5%", 1, "there is no metric 'conductance'"),
    ],
)
def test_a_score_that_got_worse_fails_a_comparison(
    harness_command: Command, finished: Path, tmp_path: Path, limit: str, code: int, line: str
) -> None:
    before = harness.open_run(finished)
    before.score("nodes", [PLUGIN], isolation="none")
    worse = tmp_path / "worse" / "scoring.py"
    worse.parent.mkdir()
    worse.write_text(PLUGIN.read_text().replace("+ self.plus", "/ 2"))
    after = harness.open_run(shutil.copytree(finished, tmp_path / "after"))
    after.score("nodes", [worse], isolation="none")

    shown = harness_command("compare", finished, after.folder, "--fail-on", limit)

    assert shown.returncode == code
    assert line in shown.stderr
