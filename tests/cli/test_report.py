"""`harness report` writes one page, whatever the run is like."""

import json
import re
from pathlib import Path
from typing import Any

from support.runs import Command


def data_of(page: Path) -> dict[str, Any]:
    (text,) = re.findall(r'id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
    return dict(json.loads(text))


def test_the_page_is_written_and_named(
    harness_command: Command, finished: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"

    found = harness_command("report", finished, "--out", page)

    assert (found.returncode, found.stdout) == (0, f"{page}\n")
    assert [row[0] for row in data_of(page)["leaderboard"]["rows"]]
    assert found.stderr == ""


def test_two_runs_are_compared(
    harness_command: Command, finished: Path, computed: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"

    harness_command("report", finished, computed, "--out", page)

    assert data_of(page)["comparison"]["table"]["rows"]


def test_a_page_that_cannot_be_written_costs_one_line(
    harness_command: Command, finished: Path, tmp_path: Path
) -> None:
    page = tmp_path / "nowhere" / "page.html"

    found = harness_command("report", finished, "--out", page)

    assert found.returncode == 1
    assert found.stderr == f"harness: {page}: cannot be written: No such file or directory\n"


def test_a_selector_that_the_run_lacks_is_refused(harness_command: Command, finished: Path) -> None:
    found = harness_command("report", finished, "--selector", "max-modularity")

    assert found.returncode == 1
    assert "the run has no selector 'max-modularity'" in found.stderr
