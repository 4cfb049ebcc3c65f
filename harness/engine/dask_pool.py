"""Cells on the workers of a Dask cluster, seen from the coordinator.

Only the coordinator reads and writes the store. A map is sent once, as a task that its cells
depend on, so that Dask can make it again when a worker is lost. Dask decides which worker computes
which cell, and gives the cells of a lost worker to another; the worker processes on the Dask
workers enforce the limits of cells (`dask_worker`).
"""

import contextlib
import logging
import os
import re
import signal
import subprocess
import sys
import time
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import distributed
import numpy as np
from numpy.typing import NDArray

from harness.engine.dask_worker import (
    Plugins,
    WorkerProcesses,
    compute_on_worker,
    refusal_of,
    task_name,
)
from harness.engine.pool import CellJob, Pool
from harness.engine.remote import Requirements
from harness.engine.worker import WorkerConfig
from harness.errors import HarnessError, RunStoppedError
from harness.planning.progress import Progress
from harness.planning.settings import Execution
from harness.store.records import CellRecord
from harness.working_folder import safe_environment

LOCAL = "local"
ADDRESS = re.compile(r"((tcp|tls|ucx|ws|wss)://)?[^/\s]+:\d+/?")
# Seconds in which a scheduler must answer.
CONNECT_LIMIT = 5
# Seconds in which workers that are started here come, and in which they end.
START_LIMIT, CLOSE_LIMIT = 60, 5
# Seconds between counts of the workers.
COUNT_INTERVAL = 5.0
GONE = "dask: the scheduler is gone; the same command continues"
# Loggers of Dask that print a traceback for what this module says in a line.
CHATTY = ("distributed", "distributed.client")
# Maps that stay on the cluster although no submitted cell needs them.
SPARE_MAPS = 32


@dataclass
class DaskPool:
    """A pool of all workers of a cluster, as they come and go."""

    _client: "distributed.Client"
    _name: str
    _maps: Path
    _progress: Progress
    _cells: dict[str, tuple[CellJob, "distributed.Future"]] = field(default_factory=dict)
    _sent: OrderedDict[str, "distributed.Future"] = field(default_factory=OrderedDict)
    _refused: dict[str, str] = field(default_factory=dict)
    _threads: int = -1
    _counted: float = -COUNT_INTERVAL

    def close(self) -> None:
        """Cancel the cells that are still computed."""
        with contextlib.suppress(Exception):
            self._client.cancel([task for _, task in list(self._cells.values())], force=True)
            self._client.unregister_worker_plugin(self._name)

    @property
    def _accepted(self) -> dict[str, int]:
        """What tasks need, and only workers that are not refused offer."""
        return {self._name: 1}

    def room(self) -> int:
        """Three for each thread of the cluster: one in work, and two to hide the network."""
        if time.monotonic() - self._counted >= COUNT_INTERVAL:
            self._counted = time.monotonic()
            self._count_workers()
        return 3 * max(1, self._threads)

    def submit(self, job: CellJob) -> Future[CellRecord]:
        """Accept a cell; raises RunStoppedError if the scheduler is gone."""
        try:
            task = self._client.submit(
                compute_on_worker,
                self._name,
                job,
                self._weights(job.digest),
                key=task_name(self._name, job.key),
                pure=False,
                resources=self._accepted,
            )
        except distributed.client.ClosedClientError:
            raise RunStoppedError(GONE) from None
        self._cells[job.key] = job, task
        ended = Future[CellRecord]()
        task.add_done_callback(partial(self._end, job, ended))
        return ended

    def _count_workers(self) -> None:
        """Count the threads of the workers that take cells; warn of every worker that does not."""
        before = self._threads
        # If the scheduler is gone, the submitted cells say so.
        with contextlib.suppress(OSError):
            # Nor does it know any worker before it has answered again.
            workers = self._client.scheduler_info().get("workers")
            if workers is None:
                return
            takes = {address: self._name in each["resources"] for address, each in workers.items()}
            self._threads = sum(workers[each]["nthreads"] for each in takes if takes[each])
            self._ask([each for each in takes if not takes[each] and each not in self._refused])
            if takes and all(each in self._refused for each in takes):
                first = next(iter(takes))
                raise RunStoppedError(
                    f"dask: no worker is left that can be used: {first} {self._refused[first]}"
                )
            if not takes and before:
                self._progress.warn("dask: there is no worker; waiting for one")

    def _ask(self, addresses: Sequence[str]) -> None:
        """Ask workers why they take no cells; those that just came are still checked."""
        if not addresses:
            return
        answers = self._client.run(
            refusal_of, self._name, workers=list(addresses), on_error="return"
        )
        for address, answer in answers.items():
            if isinstance(answer, OSError):
                # It is gone, or cannot be reached: Dask will see.
                continue
            if isinstance(answer, Exception):
                answer = (
                    f"cannot use the harness ({type(answer).__name__}: {answer}); install the same "
                    "version there"
                )
            if answer:
                self._refused[address] = answer
                self._progress.warn(f"dask: the worker {address} gets no cells: it {answer}")

    def _weights(self, digest: str) -> "distributed.Future":
        if digest not in self._sent:
            needed = {job.digest for job, _ in list(self._cells.values())}
            for old in [old for old in self._sent if old not in needed][:-SPARE_MAPS]:
                del self._sent[old]
            weights = np.load(self._maps / f"{digest}.npy", allow_pickle=False)
            key = f"{self._name}-map-{digest}"
            self._sent[digest] = self._client.submit(
                _identity, weights, key=key, pure=False, resources=self._accepted
            )
        self._sent.move_to_end(digest)
        return self._sent[digest]

    def _end(self, job: CellJob, ended: Future[CellRecord], task: "distributed.Future") -> None:
        """Pass on the record of a cell; called in a thread of Dask."""
        try:
            ended.set_result(_record(job, task))
        except HarnessError as error:
            ended.set_exception(error)
        except BaseException as error:
            ended.set_exception(RunStoppedError(f"dask: {type(error).__name__}: {error}"))
        self._cells.pop(job.key, None)


def _identity(weights: NDArray[Any]) -> NDArray[Any]:
    return weights


def _record(job: CellJob, task: "distributed.Future") -> Any:
    if task.status == "finished":
        return task.result()
    if task.status != "error":
        raise RunStoppedError(GONE)
    error = task.exception()
    if isinstance(error, distributed.scheduler.KilledWorker):
        lost = f"{error.allowed_failures + 1} Dask workers in a row were lost with it"
        return CellRecord(job.key, "killed", lost)
    if isinstance(error, HarnessError):
        raise error
    raise RunStoppedError(f"a Dask worker failed: {type(error).__name__}: {error}") from error


@contextmanager
def connect(
    execution: Execution,
    config: WorkerConfig,
    requirements: Requirements,
    maps: Path,
    progress: Progress,
) -> Iterator[Pool]:
    """A pool on a cluster; HarnessError if none answers, or if all its workers are refused.

    requirements: what must be the same there.
    """
    with contextlib.ExitStack() as opened:
        for name in CHATTY:
            logger = logging.getLogger(name)
            opened.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.CRITICAL)
        client = _client(execution, opened)
        opened.callback(_close, client)
        name = f"attention-harness-{client.id}"
        processes = WorkerProcesses(name, config, _files_of(config.plugins), requirements)
        # It fails if one worker lacks the harness; that one is refused by its name.
        with contextlib.suppress(Exception):
            client.register_plugin(processes, name=name)
        pool = DaskPool(client, name, maps, progress)
        opened.callback(pool.close)
        pool.room()
        yield pool


def _client(execution: Execution, opened: contextlib.ExitStack) -> Any:
    address: Any = execution.dask
    target = address
    if address == LOCAL:
        target = distributed.LocalCluster(n_workers=0, silence_logs=50, dashboard_address=":0")
        opened.enter_context(_started_workers(target.scheduler_address, execution.workers))
        opened.enter_context(target)
    elif not ADDRESS.fullmatch(address):
        raise HarnessError(
            f"dask: {address}: neither an address like tcp://host:8786 nor {LOCAL}, which starts "
            "workers here"
        )
    try:
        with warnings.catch_warnings():
            # Workers of other versions are refused one by one.
            warnings.simplefilter("ignore", distributed.versions.VersionMismatchWarning)
            client = distributed.Client(target, timeout=CONNECT_LIMIT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise HarnessError(
            f"dask: {address}: no scheduler answers there ({' '.join(str(error).split())})"
        ) from error
    if address == LOCAL:
        with contextlib.suppress(TimeoutError):
            client.wait_for_workers(1, timeout=START_LIMIT)
    return client


@contextmanager
def _started_workers(address: str, count: int) -> Iterator[None]:
    """Start workers of one thread here, which end when their scheduler closes.

    Those that Dask would start run the caller's script again, and print a traceback when a terminal
    interrupts them.
    """
    command = [sys.executable, "-m", "distributed.cli.dask_worker", address]
    options = ["--nthreads", "1", "--no-dashboard", "--death-timeout", "60"]
    started = [
        subprocess.Popen(
            [*command, *options],
            # They import nothing from the working folder.
            env=safe_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for process in started:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(CLOSE_LIMIT)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _close(client: "distributed.Client") -> None:
    """Close a connection; the first attempt fails if it interrupts one to reconnect."""
    for _ in range(2):
        with contextlib.suppress(Exception):
            client.close()


def _files_of(plugins: Sequence[Path]) -> Plugins:
    found = []
    for path in map(Path.resolve, plugins):
        files = [path] if path.is_file() else filter(Path.is_file, path.rglob("*"))
        sources = [file for file in files if "__pycache__" not in file.parts]
        contents = {str(file.relative_to(path.parent)): file.read_bytes() for file in sources}
        found.append((path.name, contents))
    return found
