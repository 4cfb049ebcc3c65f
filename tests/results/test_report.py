"""A run writes a page on itself and on others."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import harness


def data_of(page: Path) -> dict[str, Any]:
    (text,) = re.findall(r'id="data">(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
    return dict(json.loads(text))


def test_the_page_is_written_where_it_is_asked_for(deep: Path, tmp_path: Path) -> None:
    path = harness.open_run(deep).report(str(tmp_path / "page.html"))

    assert path == tmp_path / "page.html"
    assert data_of(path)["title"] == "out"


def test_only_what_chosen_selectors_selected_is_shown(deep: Path, tmp_path: Path) -> None:
    run = harness.open_run(deep, "fixed")

    data = data_of(run.report(tmp_path / "page.html"))

    assert {each["selector"] for each in data["gallery"]["methods"]} == {"fixed[level=0.5]"}


def test_three_runs_stand_beside_each_other_and_are_not_compared(
    deep: Path, tmp_path: Path
) -> None:
    others = [harness.open_run(shutil.copytree(deep, tmp_path / name)) for name in ("one", "other")]

    data = data_of(harness.open_run(deep).report(tmp_path / "page.html", others))

    assert data["title"] == "out and one and other"
    assert data["comparison"] is None
    column = [each["name"] for each in data["leaderboard"]["columns"]].index("run")
    assert {row[column] for row in data["leaderboard"]["rows"]} == {"out", "one", "other"}


def test_a_run_in_place_of_a_list_is_refused(deep: Path, tmp_path: Path) -> None:
    run = harness.open_run(deep)

    with pytest.raises(harness.HarnessError, match="expected a list of runs"):
        run.report(tmp_path / "page.html", run)  # type: ignore[arg-type]


def test_a_run_that_is_given_twice_is_refused(deep: Path, tmp_path: Path) -> None:
    run = harness.open_run(deep)

    with pytest.raises(harness.HarnessError, match="the run is given twice"):
        run.report(tmp_path / "page.html", [run])
