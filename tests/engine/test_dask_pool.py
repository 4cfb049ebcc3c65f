"""Runs on a real Dask cluster: a scheduler here, workers in processes of their own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import distributed
import numpy as np
import pandas
import pytest

import harness
import harness_plugins
from harness.engine.dask_pool import DaskPool
from harness.engine.dask_worker import IDLE
from harness.engine.pool import CellJob
from harness.planning.progress import Progress
from support import PLUGINS
from support.runs import Command, small_command, small_run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cluster() -> Iterator[distributed.LocalCluster]:
    """Two workers of one thread, as `dask worker` starts them."""
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as running:
        yield running


def small(folder: Path, *more: object) -> list[str]:
    plugins = ("--plugin", PLUGINS / "isolation.py", "--plugin", PLUGINS / "slow.py")
    return small_command(
        folder, *plugins, *more, isolation="process", controls="permuted-rows", nulls=3, levels=6
    )


def points(folder: Path) -> pandas.DataFrame:
    return harness.open_run(folder).points().drop(columns="seconds")


def test_workers_of_a_cluster_compute_the_same_digits(
    cluster: distributed.LocalCluster, harness_command: Command, planted: Path, tmp_path: Path
) -> None:
    run = small(planted, "--clusterers", "louvain,infomap,sdp")
    there = harness_command(*run, "--out", "there", "--dask", cluster.scheduler_address)
    here = harness_command(*run, "--out", "here")

    assert (there.returncode, here.returncode) == (0, 0), there.stderr
    pandas.testing.assert_frame_equal(points(tmp_path / "there"), points(tmp_path / "here"))


def test_a_local_cluster_is_started_on_demand(
    harness_command: Command, planted: Path, tmp_path: Path
) -> None:
    finished = harness_command(
        *small(planted, "--clusterers", "louvain", "--out", "out", "--dask", "local")
    )

    assert finished.returncode == 0, finished.stderr
    assert harness.open_run(tmp_path / "out").statuses() == {"ok": 6}


def test_limits_hold_inside_the_workers_and_the_pool_continues(
    cluster: distributed.LocalCluster, harness_command: Command, planted: Path, tmp_path: Path
) -> None:
    hostile = {
        "endless[mode=native]": "timed out",
        "ending[mode=null]": "killed",
        'greedy[mode="bit by bit"]': "failed",
        "wrong[mode=nan]": "invalid",
    }
    finished = harness_command(
        *small(planted, "--clusterers", ",".join(["louvain", *hostile]), "--out", "out", "--json"),
        *("--dask", cluster.scheduler_address, "--timeout", "60,endless=1", "--memory", 0.5),
    )

    assert finished.returncode == 2, finished.stderr
    cells = harness.open_run(tmp_path / "out").cells()
    found = cells[cells.status != "skipped"].groupby("clusterer").status.unique().map(list)
    assert found.to_dict() == {
        "louvain": ["ok"],
        **{name: [status] for name, status in hostile.items()},
    }


def test_a_worker_that_is_killed_during_a_run_costs_nothing(
    cluster: distributed.LocalCluster, harness_command: Command, planted: Path, tmp_path: Path
) -> None:
    run = small(planted, "--clusterers", "slow,louvain", "--repeats", 2)
    run += ["--selectors", "stable-phase[beyond_noise=false]", "--perturbations", "seeds"]

    def kill_one() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            time.sleep(0.05)
            try:
                if harness.open_run(tmp_path / "out").statuses().get("ok", 0) >= 2:
                    break
            except harness.HarnessError:
                continue
        os.kill(cluster.workers[0].pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    finished = harness_command(*run, "--out", "out", "--dask", cluster.scheduler_address)
    killer.join()
    harness_command(*run, "--out", "whole")

    assert finished.returncode == 0, finished.stderr
    pandas.testing.assert_frame_equal(points(tmp_path / "out"), points(tmp_path / "whole"))
    stable = [harness.open_run(tmp_path / name).stabilities() for name in ("out", "whole")]
    assert len(stable[0])
    pandas.testing.assert_frame_equal(*stable)


def test_a_killed_coordinator_leaves_no_process_at_work_on_the_workers(
    cluster: distributed.LocalCluster, planted: Path, tmp_path: Path
) -> None:
    arguments = small(planted, "--clusterers", "endless[mode=native]", "--out", "out")
    coordinator = subprocess.Popen(
        [
            sys.executable, "-m", "harness",
            *map(str, arguments), "--dask", cluster.scheduler_address,
        ],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while len(_processes_below(cluster)) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(_processes_below(cluster)) == 2

    coordinator.kill()
    coordinator.wait()

    # A process that has only compared the code ends when it was idle for IDLE seconds.
    deadline = time.monotonic() + IDLE + 60
    while _processes_below(cluster) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _processes_below(cluster) == []


def _processes_below(cluster: distributed.LocalCluster) -> list[int]:
    """Worker processes whose parent is a Dask worker of the cluster."""
    workers = {worker.pid for worker in cluster.workers.values()}
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if parent in workers and b"harness.engine.worker" in command:
            found.append(int(folder.name))
    return found


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A scheduler without workers, and its address."""
    address = tmp_path / "scheduler.json"
    running = subprocess.Popen(
        [
            sys.executable, "-m", "distributed.cli.dask_scheduler",
            "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", address,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not address.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        yield running, json.loads(address.read_text())["address"]
    finally:
        running.kill()
        running.wait()


def test_missing_workers_and_a_lost_scheduler_are_reported_in_a_line(
    scheduler: tuple[subprocess.Popen[bytes], str], planted: Path, tmp_path: Path
) -> None:
    process, address = scheduler
    run = small(planted, "--clusterers", "louvain", "--out", "out", "--dask", address)
    coordinator = subprocess.Popen(
        [sys.executable, "-m", "harness", *map(str, run)],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert coordinator.stderr is not None
    printed = [coordinator.stderr.readline() for _ in range(4)]
    process.kill()
    rest = coordinator.stderr.read()
    coordinator.stderr.close()

    assert "warning: dask: there is no worker; waiting for one\n" in printed
    assert coordinator.wait(timeout=60) == 1
    assert rest.splitlines()[-1].startswith("harness: dask: the scheduler is gone; the same")
    assert "Traceback" not in rest


def test_a_scheduler_that_is_lost_before_a_cell_is_submitted_is_reported(
    scheduler: tuple[subprocess.Popen[bytes], str], tmp_path: Path
) -> None:
    process, address = scheduler
    with distributed.Client(address, timeout=1, set_as_default=False) as client:
        pool = DaskPool(client, "test", tmp_path, Progress())
        process.kill()
        deadline = time.monotonic() + 60
        while client.status != "closed" and time.monotonic() < deadline:
            time.sleep(0.1)

        assert pool.room() == 3
        np.save(tmp_path / "map.npy", np.eye(2))
        with pytest.raises(harness.HarnessError, match="the scheduler is gone; the same command"):
            pool.submit(CellJob("cell", "map", limit=1, header={}))


def test_a_worker_with_another_version_of_anything_is_refused(
    harness_command: Command, planted: Path, tmp_path: Path
) -> None:
    other = tmp_path / "site" / "numpy-0.0.1.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.0.1\n")
    with distributed.LocalCluster(
        n_workers=0, processes=True, dashboard_address=":0", silence_logs=50
    ) as cluster:
        worker = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_worker", cluster.scheduler_address],
            env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            with distributed.Client(cluster) as client:
                client.wait_for_workers(1, timeout=60)
            finished = harness_command(
                *small(planted, "--clusterers", "louvain"), "--dask", cluster.scheduler_address
            )
        finally:
            worker.terminate()
            worker.wait()

    assert finished.returncode == 1
    assert "differs (numpy" in finished.stderr
    assert "here, 0.0.1 there); install the same there" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize(
    ("address", "line"),
    [
        ("tcp://127.0.0.1:9", "no scheduler answers there"),
        ("nonsense", "neither an address like tcp://host:8786 nor local"),
        ("no-such-scheme://host:8786", "neither an address like tcp://host:8786 nor local"),
    ],
)
def test_a_scheduler_that_does_not_answer_is_reported_in_a_line(
    harness_command: Command, planted: Path, address: str, line: str
) -> None:
    finished = harness_command(*small(planted, "--clusterers", "louvain"), "--dask", address)

    assert finished.returncode == 1
    assert finished.stderr.splitlines()[-1].startswith(f"harness: dask: {address}: {line}")
    assert "Traceback" not in finished.stderr


@pytest.fixture
def worker_with_other_code(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Starts a worker whose shipped clusterer has the same version and other code."""
    site = tmp_path / "site"
    shutil.copytree(Path(harness_plugins.__file__).parent, site / "harness_plugins")
    with (site / "harness_plugins" / "clusterers" / "louvain.py").open("a") as file:
        file.write("# edited\n")
    started = []

    def start(scheduler: str) -> str:
        process = subprocess.Popen(
            [sys.executable, "-m", "distributed.cli.dask_worker", scheduler, "--no-dashboard"],
            env={**os.environ, "PYTHONPATH": str(site)},
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        started.append(process)
        with distributed.Client(scheduler) as client:
            before = set(client.scheduler_info()["workers"])
            while not (found := set(client.scheduler_info()["workers"]) - before):
                time.sleep(0.1)
        return str(*found)

    yield start
    for process in started:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_worker_with_other_code_gets_no_cells_and_the_run_goes_on(
    worker_with_other_code: Callable[[str], str],
    harness_command: Command,
    planted: Path,
) -> None:
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as cluster:
        other = worker_with_other_code(cluster.scheduler_address)
        finished = harness_command(
            *small(planted, "--clusterers", "louvain"), "--dask", cluster.scheduler_address
        )

    assert finished.returncode == 0, finished.stderr
    assert (
        f"warning: dask: the worker {other} gets no cells: it differs (the code of clusterer "
        "louvain); install the same there\n"
    ) in finished.stderr


class Joining(Progress):
    """Lets a worker join when cells are clustered, and releases the cells once it is refused."""

    def __init__(self, join: Callable[[], str], release: Path) -> None:
        self.join, self.release = join, release
        self.joined, self.warnings = "", list[str]()

    def begin(self, phase: str, total: int, seconds_left: object = None) -> None:
        if phase == "clustering":
            self.joined = self.join()

    def warn(self, line: str) -> None:
        self.warnings.append(line)
        self.release.touch()


def test_a_worker_with_other_code_that_joins_during_a_run_gets_no_cells(
    worker_with_other_code: Callable[[str], str], planted: Path, tmp_path: Path
) -> None:
    release = tmp_path / "release"
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as cluster:
        progress = Joining(lambda: worker_with_other_code(cluster.scheduler_address), release)
        run = small_run(
            tmp_path / "out", planted, clusterers=["louvain", f"waiting[path={release}]"],
            isolation="process", plugins=PLUGINS / "slow.py", dask=cluster.scheduler_address,
            progress=progress,
        )  # fmt: skip

    assert run.statuses() == {"ok": 6}
    assert progress.warnings == [
        f"dask: the worker {progress.joined} gets no cells: it differs (the code of clusterer "
        "louvain); install the same there"
    ]


def test_a_run_whose_only_worker_has_other_code_stops_with_that_reason(
    worker_with_other_code: Callable[[str], str], harness_command: Command, planted: Path
) -> None:
    with distributed.LocalCluster(n_workers=0, dashboard_address=":0", silence_logs=50) as cluster:
        other = worker_with_other_code(cluster.scheduler_address)
        finished = harness_command(
            *small(planted, "--clusterers", "louvain"), "--dask", cluster.scheduler_address
        )

    assert finished.returncode == 1
    assert finished.stderr.splitlines()[-1] == (
        f"harness: dask: no worker is left that can be used: {other} differs (the code of "
        "clusterer louvain); install the same there"
    )


def test_a_script_without_a_main_guard_may_start_workers(planted: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import harness\n"
        f"run = harness.run(extractors='arrays[path={planted}]', clusterers='louvain',\n"
        "    selectors='max-modularity', controls='none', perturbations='none', levels=4,\n"
        "    dask='local', workers=1, out='out', progress=False)\n"
        "print(run.statuses())\n"
    )
    finished = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert finished.stdout == "{'ok': 3}\n"
    assert finished.stderr == ""
