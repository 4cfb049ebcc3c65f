"""Components that run in the calling process: the same records, and a process left as it was."""

import contextlib
import gc
import locale
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import harness
from harness.engine.inline_worker import InlineWorker
from harness.engine.worker import JobFailedError, WorkerConfig
from harness.plugin import registry
from support import PLUGINS
from support.runs import Command, small_command, small_run

PLUGIN = PLUGINS / "inline.py"
# What no two runs have in common.
UNSTABLE = {"seconds", "peak_memory"}


@pytest.fixture
def worker(config: WorkerConfig) -> InlineWorker:
    return InlineWorker(config, registry.load(config.plugins))


def ask(worker: InlineWorker, cell: dict[str, Any], clusterer: str) -> list[dict[str, Any]]:
    calls = worker.call("cell", 60.0, **{**cell, "n_levels": 1}, clusterer=clusterer)
    return [dict(answer) for answer in calls]


def every_kind_of_job(maps: Path, out: Path, isolation: str) -> harness.Run:
    return small_run(
        out,
        images="noise[count=2]",
        extractors=["deep", f"arrays[path={maps}]"],
        clusterers=["louvain", "raising", "fractional"],
        selectors=["fixed[level=0.5]", "excess-modularity"],
        controls=["uniform-noise", "permuted-rows"],
        perturbations="seeds,edge-dropout",
        stability_draws=1,
        plugins=[PLUGINS / "deep.py", PLUGINS / "misbehaving.py"],
        isolation=isolation,
    )


def details(run: harness.Run) -> list[tuple[str, ...]]:
    with sqlite3.connect(run.folder / "run.sqlite") as stored:
        cells = stored.execute("SELECT cell, status, reason, detail FROM cells")
        return sorted(cells)


def test_a_run_without_isolation_gives_the_same_tables(planted_maps: Path, tmp_path: Path) -> None:
    apart = every_kind_of_job(planted_maps, tmp_path / "apart", "process")
    inline = every_kind_of_job(planted_maps, tmp_path / "inline", "none")

    assert {"ok", "failed", "invalid"} <= set(apart.statuses())
    for table in ("images", "cells", "points", "selections", "tests", "stabilities"):
        one, other = (getattr(run, table)() for run in (apart, inline))
        columns = [name for name in one.columns if name not in UNSTABLE]
        assert len(one)
        pandas.testing.assert_frame_equal(one[columns], other[columns])
    assert details(apart) == details(inline)


def test_a_component_runs_in_the_calling_process(
    worker: InlineWorker, cell: dict[str, Any]
) -> None:
    (point,) = ask(worker, cell, "observing")

    assert point["diagnostics"]["process"] == os.getpid()
    assert point["diagnostics"]["threads"] == 1


@contextlib.contextmanager
def unusual_caller(folder: Path) -> Iterator[None]:
    """A caller whose process is in another state than a fresh one."""
    import torch

    before = Path.cwd(), os.umask(0o027), np.geterr(), sys.getrecursionlimit()
    torch_threads = torch.get_num_threads()
    handler = signal.signal(signal.SIGUSR1, lambda *_: None)
    os.environ["UNUSUAL"] = "yes"
    signal.setitimer(signal.ITIMER_VIRTUAL, 3600)
    os.chdir(folder)
    np.seterr(all="raise")
    sys.setrecursionlimit(sys.getrecursionlimit() + 7)
    torch.set_num_threads(2)
    try:
        with threadpool_limits(2):
            yield
    finally:
        os.chdir(before[0])
        os.umask(before[1])
        np.seterr(**before[2])
        sys.setrecursionlimit(before[3])
        torch.set_num_threads(torch_threads)
        signal.signal(signal.SIGUSR1, handler)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        del os.environ["UNUSUAL"]


def state() -> dict[str, Any]:
    """What a job might change; random numbers last, as drawing them changes more."""
    import torch

    permissions = os.umask(0o077)
    os.umask(permissions)
    return {
        "folder": Path.cwd(),
        "environment": dict(os.environ),
        "permissions": permissions,
        "handlers": {number: signal.getsignal(number) for number in signal.Signals},
        "blocked": signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        "timers": {number: signal.getitimer(number)[0] > 0 for number in range(3)},
        "floats": np.geterr(),
        "recursion": sys.getrecursionlimit(),
        "paths": list(sys.path),
        "locale": locale.setlocale(locale.LC_ALL),
        "streams": (sys.stdin, sys.stdout, sys.stderr),
        "filters": list(__import__("warnings").filters),
        "threads": sorted((lib["filepath"], lib["num_threads"]) for lib in threadpool_info()),
        "torch threads": torch.get_num_threads(),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "random": random.getstate(),
        "numpy": str(np.random.get_state()),
        "torch": torch.get_rng_state().tolist(),
    }


@pytest.mark.parametrize("clusterer", ["meddling", "observing", "hard-to-tell[mode=local]"])
def test_the_caller_finds_its_process_as_it_left_it(
    worker: InlineWorker, cell: dict[str, Any], tmp_path: Path, clusterer: str
) -> None:
    import torch

    with unusual_caller(tmp_path):
        random.seed(5)
        np.random.seed(5)
        torch.manual_seed(5)
        before = state()
        with contextlib.suppress(JobFailedError):
            ask(worker, cell, clusterer)
        # A traceback holds the file of the map.
        gc.collect()
        after = state()

    for name, value in before.items():
        assert after[name] == value, name


def test_a_job_finds_the_state_of_a_fresh_process(
    worker: InlineWorker, cell: dict[str, Any], tmp_path: Path
) -> None:
    first = ask(worker, cell, "observing")[0]["diagnostics"]
    random.seed(5)
    np.random.seed(5)
    with unusual_caller(tmp_path):
        second = ask(worker, cell, "observing")[0]["diagnostics"]

    unlike = {"permissions", "recursion", "root"}
    assert {k: v for k, v in first.items() if k not in unlike} == {
        k: v for k, v in second.items() if k not in unlike
    }


def test_it_works_in_another_thread_than_the_main_one(
    worker: InlineWorker, cell: dict[str, Any]
) -> None:
    with ThreadPoolExecutor(1) as threads:
        replies = threads.submit(ask, worker, cell, "printing").result()

    assert [reply["reply"] for reply in replies] == ["point"]
    assert threading.current_thread() is threading.main_thread()


def test_a_failure_keeps_the_exception_of_the_plugin(
    worker: InlineWorker, cell: dict[str, Any]
) -> None:
    with pytest.raises(JobFailedError) as failure:
        ask(worker, cell, "raising")

    assert failure.value.status == "failed"
    assert isinstance(failure.value.__cause__, RuntimeError)
    assert failure.value.__cause__.__traceback__ is not None


def test_a_run_that_is_interrupted_in_a_clusterer_keeps_the_cells_before(
    planted_maps: Path, tmp_path: Path
) -> None:
    calls = tmp_path / "calls"

    def run() -> harness.Run:
        return small_run(
            tmp_path / "out",
            planted_maps,
            clusterers=f"interrupting[path={calls},at=6]",
            controls="permuted-rows",
            levels=2,
            plugins=[PLUGIN],
        )

    with pytest.raises(KeyboardInterrupt):
        run()
    statuses = harness.open_run(tmp_path / "out").statuses()
    finished = run()

    assert statuses["ok"] == 2
    assert finished.statuses() == {"ok": 6}
    # Two levels a cell; the third cell was begun twice, and its first level computed twice.
    assert len(calls.read_text()) == 12 + 2


def test_a_run_that_is_interrupted_in_an_extractor_keeps_the_maps_before(tmp_path: Path) -> None:
    calls = tmp_path / "calls"

    def run() -> harness.Run:
        return small_run(
            tmp_path / "out",
            images="noise[count=3]",
            extractors=f"interrupting-extractor[path={calls},at=3]",
            levels=2,
            plugins=[PLUGIN],
        )

    with pytest.raises(KeyboardInterrupt):
        run()

    assert run().statuses() == {"ok": 3}
    assert len(calls.read_text()) == 3 + 1


@pytest.mark.parametrize(
    ("typed", "code", "printed"),
    [("p 'answer', answer\nc\n" * 20, 0, "('answer', 42)"), ("q\n", 130, "(Pdb)")],
)
def test_a_breakpoint_in_a_plugin_opens_the_debugger_and_quitting_it_ends_the_run(
    planted_maps: Path, tmp_path: Path, typed: str, code: int, printed: str
) -> None:
    finished = subprocess.run(
        [
            *(sys.executable, "-m", "harness"),
            *small_command(planted_maps, clusterers="inspected", levels=2, plugin=PLUGIN),
        ],
        cwd=tmp_path,
        input=typed,
        capture_output=True,
        text=True,
    )

    assert finished.returncode == code, finished.stderr
    assert printed in finished.stdout


def test_a_run_says_that_it_is_not_isolated(
    harness_command: Command, planted_maps: Path, tmp_path: Path
) -> None:
    finished = harness_command(*small_command(planted_maps, out="out"))

    (session,) = harness.open_run(tmp_path / "out").sessions()
    assert finished.stderr.startswith(
        "components run in this process, one at a time: time and memory limits do not hold\n"
    )
    assert "Run without isolation: time and memory limits did not hold." in " ".join(
        finished.stdout.split()
    )
    assert session["isolation"] == "none"


def test_no_isolation_and_dask_are_refused_together(
    harness_command: Command, planted_maps: Path
) -> None:
    finished = harness_command(*small_command(planted_maps, dask="local"))

    assert finished.returncode == 1
    (line,) = finished.stderr.splitlines()
    assert line == (
        "harness: components run either in this process, on Dask or on Slurm; leave out "
        "--isolation none or --dask"
    )
