"""What computes cells: worker processes here, or the calling process; `dask_pool` has another."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol, Self, TypeVar

from harness.engine.ahead import Ahead
from harness.engine.guardian import Guardian
from harness.engine.messages import Message, point_of
from harness.engine.worker import JobFailedError, Worker, WorkerConfig
from harness.engine.worker_process import WorkerProcess
from harness.plugin.profile import Point
from harness.store.records import CellRecord

R = TypeVar("R")


@dataclass(frozen=True)
class CellJob:
    """A cell, its limit in seconds, and the digest of its map, which the pool brings along."""

    key: str
    digest: str
    limit: float
    # Specs of components, never objects.
    header: dict[str, Any]


class Pool(Protocol):
    """Computes cells, many at a time, in any order."""

    def room(self) -> int:
        """How many cells, computed and waiting, keep the pool busy."""

    def submit(self, job: CellJob) -> Future[CellRecord]:
        """Accept a cell; its future raises RunStoppedError if the pool cannot go on."""


def compute(worker: Worker, job: CellJob, folder: str) -> CellRecord:
    """Compute one cell, whose map is in `folder`; a failure is a record too."""
    points: list[Point] = []
    status, reason, detail = "ok", "", ""
    started = time.perf_counter()
    try:
        worker.start()
        started = time.perf_counter()
        for answer in worker.call("cell", job.limit, folder=folder, **job.header):
            points.append(point_of(answer))
        peak = worker.peak_memory
    except JobFailedError as error:
        status, reason, detail, peak = error.status, error.reason, error.detail, error.peak_memory
    seconds = time.perf_counter() - started
    return CellRecord(job.key, status, reason, detail, seconds, peak, points)


class LocalPool:
    """A pool of worker processes on this machine, each used by one thread at a time.

    Use as a context manager. On exit, cells that are still computed are killed.
    """

    def __init__(self, workers: int, config: WorkerConfig, maps: Path) -> None:
        self._guardian = Guardian()
        self._workers = [WorkerProcess(config, self._guardian) for _ in range(workers)]
        self._maps = str(maps)
        self._idle: SimpleQueue[WorkerProcess] = SimpleQueue()
        self._executor = ThreadPoolExecutor(workers)

    def __enter__(self) -> Self:
        self._guardian.__enter__()
        for worker in self._workers:
            self._idle.put(worker)
            # They start while maps are extracted.
            self._executor.submit(self._use, WorkerProcess.start)
        return self

    def __exit__(self, *raised: object) -> None:
        for worker in self._workers:
            worker.interrupt()
        self._executor.shutdown(cancel_futures=True)
        for worker in self._workers:
            worker.kill()
        self._guardian.__exit__()

    def room(self) -> int:
        """Two for each worker: the one that it computes, and the next."""
        return 2 * len(self._workers)

    def submit(self, job: CellJob) -> Future[CellRecord]:
        """Accept a cell."""
        return self._executor.submit(self._use, compute, job, self._maps)

    def ask(
        self, job: str, limit: float, questions: Sequence[Any], header: Message
    ) -> Future[Ahead]:
        """Ask questions ahead; the future raises RunStoppedError if the pool cannot go on."""
        return self._executor.submit(self._use, Ahead.ask, job, limit, questions, header)

    def _use(self, task: Callable[..., R], *arguments: Any) -> R:
        worker = self._idle.get()
        try:
            return task(worker, *arguments)
        finally:
            self._idle.put(worker)


@dataclass(frozen=True)
class InlinePool:
    """A pool that computes each cell in the calling thread."""

    worker: Worker
    maps: Path

    def room(self) -> int:
        """One: there is only the calling thread."""
        return 1

    def submit(self, job: CellJob) -> Future[CellRecord]:
        """Compute a cell."""
        ended = Future[CellRecord]()
        try:
            ended.set_result(compute(self.worker, job, str(self.maps)))
        except BaseException as error:
            ended.set_exception(error)
        return ended
