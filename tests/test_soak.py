"""A run that is killed again and again comes to what it would have come to."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas
import pytest

import harness
from support.runs import Command

pytestmark = pytest.mark.slow

KILLS = 20


def test_twenty_kills_at_random_moments_change_no_digit(
    harness_command: Command, tmp_path: Path
) -> None:
    seconds = random.Random(0)
    command = [
        "run", "--images", "fashion-mnist-sample[count=4]", "--repeats", "2", "--levels", "8",
        "--controls", "uniform-noise,permuted-rows", "--nulls", "4",
        "--clusterers", "louvain,infomap,sdp", "--selectors", "stable-phase[beyond_noise=false]",
        "--stability-draws", "2", "--cache", "none",
    ]  # fmt: skip
    kills = finished = 0
    cells = []
    while kills < KILLS:
        running = subprocess.Popen(
            [sys.executable, "-m", "harness", *command, "--out", "killed"],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(seconds.uniform(0.2, 1.4))
        finished += running.poll() is not None
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
        kills += 1
        cells.append(_computed(tmp_path / "killed"))
    last = harness_command(*command, "--out", "killed")
    whole = harness_command(*command, "--out", "whole")

    assert last.returncode == whole.returncode == 0
    assert finished < KILLS / 2
    assert cells == sorted(cells)
    killed_run, whole_run = (harness.open_run(tmp_path / name) for name in ("killed", "whole"))
    pandas.testing.assert_frame_equal(
        killed_run.points().drop(columns="seconds"), whole_run.points().drop(columns="seconds")
    )
    pandas.testing.assert_frame_equal(killed_run.selections(), whole_run.selections())
    pandas.testing.assert_frame_equal(killed_run.tests(), whole_run.tests())
    pandas.testing.assert_frame_equal(killed_run.stabilities(), whole_run.stabilities())
    assert whole_run.selections().accepted.any()
    assert killed_run.statuses() == whole_run.statuses()


def _computed(folder: Path) -> int:
    try:
        return harness.open_run(folder).statuses().get("ok", 0)
    except harness.HarnessError:
        return 0
