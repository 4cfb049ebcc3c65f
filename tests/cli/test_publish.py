import json
import subprocess
from pathlib import Path

from support.runs import Command


def test_a_published_run_is_read_as_the_run_is(
    harness_command: Command, finished: Path, tmp_path: Path
) -> None:
    published = harness_command("publish", finished, "--out", "data", "--license", "cc-by-4.0")

    assert published.returncode == 0, published.stderr
    boards = [
        json.loads(harness_command("leaderboard", name, "--json").stdout)
        for name in ("out", "data")
    ]
    assert boards[1] | {"run": "out"} == boards[0]
    compared = json.loads(harness_command("compare", "out", "data", "--json").stdout)
    assert compared["identical"]
    assert compared["selected_only"]


def test_the_files_are_printed_and_have_their_checksums(
    harness_command: Command, finished: Path, tmp_path: Path
) -> None:
    published = harness_command("publish", finished, "--out", "data")

    files = {path.relative_to(tmp_path) for path in (tmp_path / "data").rglob("*.*")}
    assert files <= set(map(Path, published.stdout.splitlines()))
    checked = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path / "data", capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_runs_lists_published_runs(
    harness_command: Command, finished: Path, tmp_path: Path
) -> None:
    harness_command("publish", finished, "--out", "data")

    found = json.loads(harness_command("runs", tmp_path, "--json").stdout)["runs"]

    assert {Path(each["run"]).name: each["published"] for each in found} == {
        "out": False,
        "data": True,
    }
    assert {each["state"] for each in found} == {"complete"}


def test_cells_are_not_taken_over_from_a_published_run(
    harness_command: Command, finished: Path, planted_maps: Path
) -> None:
    harness_command("publish", finished, "--out", "data")

    refused = harness_command(
        "run", "--extractors", f"arrays[path={planted_maps}]", "--cache", "data", "--out", "new"
    )

    assert refused.returncode == 1
    assert "--cache: data: no run is there" in refused.stderr


def test_publishing_says_in_one_line_what_is_in_the_way(
    harness_command: Command, finished: Path
) -> None:
    harness_command("publish", finished, "--out", "data")

    again = harness_command("publish", finished, "--out", "data")

    assert again.returncode == 1
    assert again.stderr == (
        "harness: data: holds a published run; choose another --out, or replace that with "
        "--overwrite\n"
    )
