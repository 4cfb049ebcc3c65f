"""What cells can do to a worker, and what it costs: themselves."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.engine.guardian import MARK, Guardian
from harness.engine.worker import JobFailedError, WorkerConfig
from harness.engine.worker_process import WorkerProcess

Replies = Callable[..., list[str]]
WHOLE = ["point"] * 4


def marked(mark: str) -> list[str]:
    """The command lines of all processes whose mark begins so."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment = (folder / "environ").read_bytes()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if f"{MARK}={mark}".encode() in environment:
            found.append(command)
    return found


@pytest.mark.parametrize(
    ("clusterer", "status", "reason"),
    [
        ("raising", "failed", "RuntimeError: first line second line"),
        ("hard-to-tell[mode=local]", "failed", "Local: with a lambda"),
        ("hard-to-tell[mode=unspeakable]", "failed", "Unspeakable: (its message cannot be read)"),
        ("hard-to-tell[mode=deep]", "failed", "RecursionError: maximum recursion depth exceeded"),
        ("ending[mode=exit]", "failed", "SystemExit: 3"),
        ("ending[mode=interrupt]", "failed", "KeyboardInterrupt"),
        ("ending[mode='hard exit']", "killed", "the process exited with code 0"),
        ("ending[mode=abort]", "killed", "the process died of SIGABRT"),
        ("ending[mode=null]", "killed", "the process died of SIGSEGV"),
        ("ending[mode=SIGTERM]", "killed", "the process died of SIGTERM"),
        ("ending[mode=SIGKILL]", "killed", "the process died of SIGKILL, as when the system runs"),
        ("ending[mode=SIGBUS]", "killed", "the process died of SIGBUS"),
        ("endless[mode='fork and die']", "killed", "the process died of SIGSEGV"),
        ("greedy[mode='at once']", "failed", "out of memory: it may take 1 GiB"),
        ("greedy[mode='bit by bit']", "failed", "out of memory: it may take 1 GiB"),
        ("flooding", "killed", "it printed more than 64 MiB"),
        ("fractional", "invalid", "at level 0: labels must be integers, not float64"),
        ("wrong[mode=short]", "invalid", "at level 0: labels must be (12,), one a node, not (11,)"),
        ("wrong[mode=floats]", "invalid", "at level 0: labels must be integers, not float64"),
        ("wrong[mode=nan]", "invalid", "at level 0: labels must be integers, not float64"),
        ("wrong[mode=objects]", "invalid", "at level 0: labels must be integers, not object"),
        ("wrong[mode=below]", "invalid", "at level 0: labels must be −1 (unassigned) or from 0"),
        ("wrong[mode=list]", "invalid", "at level 0: labels must be a numpy array, not list"),
        ("wrong[mode=none]", "invalid", "at level 0: labels must be a numpy array, not NoneType"),
        ("wrong[mode=weights]", "invalid", "at level 0: cluster() writes into its graph"),
        ("wrong[mode='forced weights']", "invalid", "at level 0: cluster() changed the graph"),
        ("wrong[mode='other weights']", "invalid", "at level 0: cluster() changed the graph"),
        ("wrong[mode='fewer edges']", "invalid", "at level 0: cluster() changed the graph"),
    ],
)
def test_each_way_to_fail_has_its_status_and_reason_and_costs_its_own_cell(
    replies: Replies, clusterer: str, status: str, reason: str
) -> None:
    with pytest.raises(JobFailedError) as failure:
        replies(clusterer)

    assert failure.value.status == status
    assert failure.value.reason.startswith(reason)
    assert failure.value.peak_memory is not None
    assert failure.value.peak_memory > 1 << 24
    assert replies("printing") == WHOLE


@pytest.mark.parametrize("mode", ["sleep", "native", "deaf", "stopped", "children"])
def test_what_never_returns_is_killed_at_its_limit_with_all_that_it_started(
    worker: WorkerProcess, replies: Replies, mode: str
) -> None:
    replies("printing")
    started = time.monotonic()

    with pytest.raises(JobFailedError) as failure:
        replies(f"endless[mode={mode}]", 1.5)

    assert failure.value.status == "timed out"
    assert failure.value.reason == "not done within the time limit of 1.5 s"
    assert failure.value.peak_memory is not None
    assert time.monotonic() - started < 30
    assert marked(worker._mark) == []


def test_what_forks_and_dies_leaves_nothing_behind(worker: WorkerProcess, replies: Replies) -> None:
    with pytest.raises(JobFailedError):
        replies("endless[mode='fork and die']")

    assert marked(worker._mark) == []


def test_the_last_output_of_a_dead_process_is_stored(replies: Replies) -> None:
    with pytest.raises(JobFailedError) as failure:
        replies("ending[mode=abort]")

    assert "last words" in failure.value.detail


def test_the_traceback_of_an_exception_is_stored_with_the_output_before_it(
    replies: Replies,
) -> None:
    with pytest.raises(JobFailedError) as failure:
        replies("ending[mode=exit]")

    assert "sys.exit(3)" in failure.value.detail
    assert failure.value.detail.endswith("Printed last:\nlast words\n")


def test_the_output_of_one_cell_is_not_stored_with_the_next(replies: Replies) -> None:
    replies("printing")

    with pytest.raises(JobFailedError) as failure:
        replies("raising")

    assert "chatter" not in failure.value.detail


def test_a_long_reason_is_cut(replies: Replies) -> None:
    with pytest.raises(JobFailedError) as failure:
        replies("hard-to-tell[mode=long]")

    assert len(failure.value.reason) < 2_000
    assert len(failure.value.detail) < 20_000


def observed(worker: WorkerProcess, cell: dict[str, Any]) -> dict[str, float]:
    calls = worker.call("cell", 60.0, **{**cell, "n_levels": 1}, clusterer="observing")
    (point,) = calls
    return dict(point["diagnostics"])


def test_process_state_that_a_plugin_changes_is_put_back_for_the_next_cell(
    worker: WorkerProcess, replies: Replies, cell: dict[str, Any]
) -> None:
    # The first one loads the libraries.
    observed(worker, cell)
    before = observed(worker, cell)
    replies("meddling", levels=1)
    # Until its alarm would have struck.
    time.sleep(0.7)
    after = observed(worker, cell)

    assert after == before
    assert (before["threads"], before["torch threads"], before["environment"]) == (1, 1, 1)


def test_global_random_generators_are_seeded_with_the_cell(
    worker: WorkerProcess, cell: dict[str, Any]
) -> None:
    observed(worker, cell)
    one, again = observed(worker, cell), observed(worker, cell)
    other = observed(worker, {**cell, "seed": 2})

    for generator in ("random", "numpy", "torch"):
        assert one[generator] == again[generator] != other[generator]


@pytest.mark.parametrize(
    ("clusterer", "cells"),
    [
        ("lingering[mode=thread]", 1),
        ("lingering[mode=child]", 1),
        ("lingering[mode=orphan]", 1),
        ("greedy[mode=leak]", 4),
    ],
)
def test_a_process_that_is_left_in_a_bad_state_computes_no_other_cell(
    worker: WorkerProcess, replies: Replies, clusterer: str, cells: int
) -> None:
    assert replies("printing") == WHOLE
    first = worker._process
    for _ in range(cells):
        assert replies(clusterer) == WHOLE

    assert replies("printing") == WHOLE
    assert worker._process != first
    assert len(marked(worker._mark)) <= 1


def test_no_process_outlives_a_killed_coordinator(
    config: WorkerConfig, cell: dict[str, Any]
) -> None:
    script = (
        "import sys, json\n"
        "from pathlib import Path\n"
        "from harness.engine.guardian import Guardian\n"
        "from harness.engine.worker import WorkerConfig\n"
        "from harness.engine.worker_process import WorkerProcess\n"
        "plugins, source, cell = json.loads(sys.argv[1])\n"
        "config = WorkerConfig(tuple(map(Path, plugins)), {}, source, 1 << 30, 1)\n"
        "with Guardian() as guardian:\n"
        "    workers = [WorkerProcess(config, guardian) for _ in range(2)]\n"
        "    for worker, mode in zip(workers, ('native', 'children')):\n"
        "        worker.start()\n"
        "        job = {'job': 'cell', **cell, 'clusterer': f'endless[mode={mode}]'}\n"
        "        worker._send(job, 1e9, 1e9)\n"
        "    print(guardian.mark().partition('/')[0], flush=True)\n"
        "    while True:\n"
        "        workers[0]._receive(1e9, 1e9)\n"
    )
    arguments = _json([[str(path) for path in config.plugins], config.source, cell])
    coordinator = subprocess.Popen(
        [sys.executable, "-c", script, arguments], stdout=subprocess.PIPE, text=True
    )
    assert coordinator.stdout is not None
    token = coordinator.stdout.readline().strip()
    deadline = time.monotonic() + 20
    # Two workers, two sleepers and a fork of a fork.
    while len(marked(token)) < 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(marked(token)) == 5

    coordinator.send_signal(signal.SIGKILL)
    coordinator.wait()
    coordinator.stdout.close()

    deadline = time.monotonic() + 5
    while marked(token) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert marked(token) == []


def test_a_guardian_ends_with_its_coordinator(tmp_path: Path) -> None:
    with Guardian() as guardian:
        process = guardian._process
        assert process is not None
        assert process.poll() is None

    assert process.returncode == 0


def _json(value: Any) -> str:
    import json

    return json.dumps(value)
