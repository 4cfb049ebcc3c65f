"""A run that goes on, followed as a browser does: real processes and real requests."""

import json
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import harness
from harness.planning.progress import SILENT
from harness.results.live import LiveReport
from harness.store import FILE_NAME, open_for_writing
from support.runs import Command, small_command, small_run

# Clusters when a file of the map's number is there.
GATED = '''
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class Gated(harness.Clusterer):
    """Waits for a file before it clusters."""

    name: ClassVar[str] = "gated"
    gate: str = ""

    def cluster(self, graph, *, seed):
        while not Path(self.gate).exists():
            time.sleep(0.02)
        return np.arange(graph.n) % 2


@harness.hookimpl
def harness_clusterers():
    return [Gated]
'''
PATIENCE = 60.0


def until(holds: Callable[[], Any]) -> Any:
    """Wait until something holds, as long as a machine with other work may take."""
    end = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.05)
    return found


class View:
    """A process of `harness view`, and what it serves."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.address = process.stdout.readline().strip()

    def data(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.address}data.json", timeout=PATIENCE) as answer:
            found = json.load(answer)
        assert isinstance(found, dict)
        return found


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def command(*arguments: object) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "harness", *map(str, arguments)]
        process = subprocess.Popen(
            words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        started.append(process)
        return process

    yield command
    for process in started:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, errors


def test_a_view_follows_a_run_to_its_end(
    planted_maps: Path, tmp_path: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    (tmp_path / "own.py").write_text(GATED)
    gate = tmp_path / "gate"
    running = start(
        *small_command(
            planted_maps,
            *("--plugin", "own.py", "--out", "run"),
            clusterers=f"louvain,gated[gate={gate}]",
            isolation="process",
            workers=1,
        )
    )
    until((tmp_path / "run" / FILE_NAME).exists)
    view = View(start("view", "run", "--plugin", "own.py"))

    waiting = until(lambda: (each := view.data())["progress"]["total"] and each)
    assert waiting["live"]
    assert not waiting["progress"]["finished"]
    assert waiting["progress"]["done"] < waiting["progress"]["total"] == 6
    assert "unfinished" not in " ".join(waiting["answer"])
    gate.touch()
    finished = until(lambda: (each := view.data())["progress"]["finished"] and each)

    assert finished["progress"]["done"] == 6
    assert len(finished["leaderboard"]["rows"]) == 2
    assert ended(running)[0] == 0
    assert view.process.poll() is None
    view.process.send_signal(signal.SIGINT)
    assert ended(view.process) == (0, "Ctrl-C ends the view, and no run.\n")
    assert [path.name for path in (tmp_path / "run").glob(f"{FILE_NAME}*")] == [FILE_NAME]


def test_the_page_may_ask_its_own_server_and_nobody_else(
    finished: Path, start: Callable[..., subprocess.Popen[str]]
) -> None:
    view = View(start("view", finished))

    with urllib.request.urlopen(view.address, timeout=PATIENCE) as answer:
        page, policy = answer.read().decode(), answer.headers["Content-Security-Policy"]

    (meta,) = re.findall(r'Content-Security-Policy" content="(.*?)"', page)
    for each in (meta, policy):
        assert "connect-src 'self'" in each
        assert each.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    (data,) = re.findall(r'id="data">(.*?)</script>', page)
    assert json.loads(data)["progress"]["finished"]


def test_a_browser_is_opened_by_a_file_that_is_the_users_alone(
    finished: Path,
    tmp_path: Path,
    start: Callable[..., subprocess.Popen[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser = tmp_path / "browser"
    browser.write_text('#!/bin/sh\nprintf "%s" "$1" > opened.new\nmv opened.new opened\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{browser} %s")

    view = View(start("view", finished, "--open"))

    opened = until(lambda: (tmp_path / "opened").exists() and (tmp_path / "opened").read_text())
    assert view.address not in opened
    file = Path(opened.removeprefix("file://"))
    assert view.address in file.read_text()
    assert file.parent.stat().st_mode & 0o077 == 0
    view.process.terminate()
    assert ended(view.process)[0] == 0
    assert not file.parent.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["view", "nowhere"], "harness: nowhere: no run is there (run.sqlite is missing)\n"),
        (["view", "out", "--port", "99999"], "harness: port 99999: cannot be used"),
        (["view", "out", "--selector", "none"], "harness: the run has no selector 'none'"),
    ],
)
def test_what_cannot_be_viewed_costs_one_line(
    harness_command: Command, finished: Path, words: list[str], said: str
) -> None:
    shown = harness_command(*words)

    assert shown.returncode == 1
    assert shown.stderr.startswith(said)
    assert shown.stderr.count("\n") == 1


def live_report(run: harness.Run) -> LiveReport:
    return LiveReport(run, (), SILENT)


def test_a_run_without_a_plan_is_shown_as_such(tmp_path: Path) -> None:
    with open_for_writing(tmp_path / "new"):
        live = live_report(harness.Run(tmp_path / "new"))

        data = json.loads(live.data())

    assert data["title"] == "new"
    assert data["progress"]["steps"] == "The run reads its images and models."
    assert not data["progress"]["finished"]


def test_a_report_is_made_anew_when_the_store_has_changed(
    planted_maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.results.live.PAUSE", 0.0)
    run = small_run(tmp_path / "run", planted_maps)
    live = live_report(run)
    before = json.loads(live.data())

    run.select("fixed[level=0.5]", progress=False)
    with open_for_writing(run.folder) as store, store.connection as connection:
        connection.execute("UPDATE cells SET status = 'failed', reason = 'no memory'")

    after = until(lambda: (each := json.loads(live.data()))["failures"] and each)
    assert not before["failures"]
    assert before["progress"]["done"] == after["progress"]["failed"] == 3
    assert after["failures"] == after["progress"]["failures"]


def test_the_last_report_stays_if_none_can_be_made(
    planted_maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.results.live.PAUSE", 0.0)
    run = small_run(tmp_path / "run", planted_maps)
    live = live_report(run)
    with open_for_writing(run.folder) as store, store.connection as connection:
        connection.execute("UPDATE cells SET labels = x'00'")

    data = until(
        lambda: "made anew" in (each := json.loads(live.data()))["progress"]["steps"] and each
    )

    assert "damaged" in data["progress"]["steps"]
    assert not data["progress"]["finished"]
    assert len(data["leaderboard"]["rows"]) == 1
