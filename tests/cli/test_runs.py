"""What `harness runs` says of a folder, and how commands find their way."""

import json
import shlex
import shutil
from pathlib import Path

import pytest

import harness
from harness.cli.main import main
from harness.store import open_for_reading, open_for_writing
from support.runs import Command, small_run


@pytest.fixture
def results(computed: Path, tmp_path: Path) -> Path:
    """A folder with a complete run, an unfinished one, and a damaged one."""
    folder = tmp_path / "my results"
    folder.mkdir()
    for name in ("complete", "unfinished", "damaged"):
        shutil.copytree(computed, folder / name)
    import sqlite3

    with sqlite3.connect(folder / "unfinished" / "run.sqlite") as connection:
        connection.execute("DELETE FROM cells WHERE rowid % 2 = 0")
    (folder / "damaged" / "run.sqlite").write_bytes(b"no store" * 100)
    (folder / "notes").mkdir()
    return folder


def states(command: Command, folder: Path) -> dict[str, str]:
    document = json.loads(command("runs", folder, "--json").stdout)
    return {Path(each["run"]).name: each["state"] for each in document["runs"]}


def test_every_run_has_its_state(harness_command: Command, results: Path) -> None:
    found = states(harness_command, results)

    with open_for_reading(results / "unfinished") as store:
        cells = sum(store.statuses().values())
        missing = store.statuses()["missing"]
    assert found.keys() == {"complete", "unfinished", "damaged"}
    assert found["complete"] == "complete"
    assert found["unfinished"] == f"unfinished: {cells - missing} of {cells} cells are computed"
    assert "damaged" in found["damaged"]


def test_a_run_that_was_stopped_after_its_cells_is_unfinished(
    harness_command: Command, results: Path
) -> None:
    with open_for_writing(results / "complete") as store:
        store.change_session({"finished": False})

    found = states(harness_command, results)["complete"]

    assert found.startswith("unfinished: selections or stabilities are missing")


def test_a_run_with_failed_cells_says_how_many(
    harness_command: Command, planted: Path, hostile: Path, tmp_path: Path
) -> None:
    small_run(tmp_path / "runs" / "one", planted, clusterers="louvain,raising", plugins=[hostile])

    assert states(harness_command, tmp_path / "runs") == {"one": "failed: 3 of 6 cells"}


def test_a_row_says_what_was_compared(harness_command: Command, results: Path) -> None:
    shown = harness_command("runs", results).stdout

    row = next(line for line in shown.splitlines() if line.startswith("complete"))
    for part in ("infomap, louvain", "permuted-rows", "arrays[path="):
        assert part in row


@pytest.mark.parametrize(
    "words",
    [
        ["leaderboard", "{}"],
        ["show", "{}"],
        ["layers", "{}"],
        ["compare", "{}", "{}"],
        ["export", "{}", "--out", "tables"],
        ["foreground", "{}", "--above", "0"],
    ],
    ids=lambda words: words[0],
)
def test_a_folder_of_runs_in_place_of_a_run_lists_its_runs(
    harness_command: Command, results: Path, words: list[str]
) -> None:
    shown = harness_command(*(word.format(results) for word in words))

    assert shown.returncode == 1
    assert shown.stdout == ""
    *table, last = shown.stderr.splitlines()
    assert {"complete", "unfinished", "damaged"} <= {line.split(" ")[0] for line in table if line}
    assert last == f"harness: {results}: a folder of runs, not a run; choose one of them"


def test_python_refuses_a_folder_of_runs_in_one_line(results: Path) -> None:
    with pytest.raises(harness.HarnessError, match="a folder of runs, not a run"):
        harness.open_run(results)


def test_a_folder_without_runs_says_so(harness_command: Command, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()

    shown = harness_command("runs")
    assert (shown.returncode, shown.stdout) == (0, "results: no runs\n")


def test_a_folder_that_does_not_exist_is_one_line(harness_command: Command) -> None:
    shown = harness_command("runs", "nowhere")

    assert shown.returncode == 1
    assert shown.stderr.startswith("harness: nowhere: no such folder")


def test_without_arguments_harness_says_what_to_start_with(harness_command: Command) -> None:
    shown = harness_command()

    assert (shown.returncode, shown.stderr) == (0, "")
    for command in ("harness run ", "harness runs ", "harness plugins ", "harness --help"):
        assert command in shown.stdout


def test_each_next_command_can_be_copied_and_works(
    results: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    run = results / "complete"
    words = ["leaderboard", str(run)]
    followed = []
    for _ in range(4):
        assert main(words) == 0
        last = capfd.readouterr().err.splitlines()[-1]
        assert last.startswith("next: harness ")
        words = shlex.split(last)[2:]
        followed.append(words[0])
    assert followed == ["show", "show", "show", "export"]


@pytest.mark.parametrize("name", ["-dash", "two words", "it's", "$HOME", "--json", "山 🌲"])
def test_the_next_command_works_for_any_name_of_a_run(
    computed: Path,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(computed, tmp_path / name)
    assert main(["leaderboard", f"./{name}"]) == 0

    assert main(shlex.split(capfd.readouterr().err.splitlines()[-1])[2:]) == 0


@pytest.mark.parametrize("image", ["planted-0", "-planted-0", "--out"])
def test_an_image_that_looks_like_an_option_stands_after_two_dashes(image: str) -> None:
    from harness.cli.options import image_words

    words = image_words(Path("out"), image)
    assert words[-1] == image
    assert ("--" in words) == image.startswith("-")


def test_without_a_complete_run_the_next_command_reads_one_that_is_not(
    results: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(results / "complete")
    assert main(["runs", str(results)]) == 0

    words = shlex.split(capfd.readouterr().err.splitlines()[-1])[1:]
    assert words == ["harness", "leaderboard", str(results / "unfinished")]


@pytest.mark.parametrize("form", ["--json", "--csv"])
def test_output_for_programs_names_no_next_command(
    finished: Path, form: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["leaderboard", str(finished), form]) == 0
    assert capfd.readouterr().err == ""
