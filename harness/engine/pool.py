"""What computes cells: worker processes here, or the calling process; `dask_pool` has another."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from harness.engine.messages import point_of
from harness.engine.worker import JobFailedError, Worker
from harness.plugin.profile import Point
from harness.store.records import CellRecord


@dataclass(frozen=True)
class CellJob:
    """A cell for a worker; its header holds specs of components, never objects.

    job: the name of the worker's job; digest: that of the map, whose weights the pool brings to
    where the cell is computed; limit: in seconds.
    """

    key: str
    job: str
    digest: str
    limit: float
    header: dict[str, Any]


class Pool(Protocol):
    """Computes cells, many at a time, in any order. Use as a context manager.

    On exit, cells that are still computed are killed.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *raised: object) -> None: ...

    def room(self) -> int:
        """How many cells, computed and waiting, keep the pool busy."""

    def submit(self, job: CellJob) -> None:
        """Accept a cell."""

    def ended(self, *, wait: bool) -> list[CellRecord]:
        """The records of cells that ended since the last call; with `wait`, at least one.

        Raises RunStoppedError if the pool cannot go on, after it returned all records.
        """


class ResultQueue:
    """Passes records from the threads of a pool to the thread that runs the pool."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[CellRecord | BaseException] = queue.SimpleQueue()
        self._error: BaseException | None = None

    def put(self, outcome: CellRecord | BaseException) -> None:
        """Add a record, or the exception after which no more will come."""
        self._queue.put(outcome)

    def take(self, *, wait: bool, patience: float | None = None) -> list[CellRecord]:
        """The records since the last call; with `wait`, waits up to `patience` seconds for one.

        Raises the exception that was added, once all records are taken.
        """
        found = []
        with contextlib.suppress(queue.Empty):
            if wait and self._error is None:
                found.append(self._queue.get(timeout=patience))
            while True:
                found.append(self._queue.get_nowait())
        records = [outcome for outcome in found if isinstance(outcome, CellRecord)]
        for outcome in found:
            if isinstance(outcome, BaseException) and self._error is None:
                self._error = outcome
        if self._error is not None and not records:
            error, self._error = self._error, None
            raise error
        return records


def compute(worker: Worker, job: CellJob, folder: str) -> CellRecord:
    """Compute one cell, whose map is in `folder`; a failure is a record too."""
    points: list[Point] = []
    status, reason, detail, peak_memory = "ok", "", "", None
    started = time.perf_counter()
    try:
        worker.start()
        started = time.perf_counter()
        for message in worker.call(job.job, job.limit, folder=folder, **job.header):
            if message.header["reply"] == "point":
                points.append(point_of(message))
            else:
                peak_memory = message.header["peak_memory"]
    except JobFailedError as error:
        status, reason, detail = error.status, error.reason, error.detail
        peak_memory = error.peak_memory
    seconds = time.perf_counter() - started
    return CellRecord(job.key, status, reason, detail, seconds, peak_memory, points)


class LocalPool:
    """A pool of workers on this machine, each served by a thread of its own."""

    def __init__(self, workers: int, make_worker: Callable[[], Worker], maps: Path) -> None:
        self._workers = [make_worker() for _ in range(workers)]
        self._maps = str(maps)
        self._waiting: queue.SimpleQueue[CellJob | None] = queue.SimpleQueue()
        self._outcomes = ResultQueue()
        self._threads = [
            threading.Thread(target=self._serve, args=(worker,), daemon=True)
            for worker in self._workers
        ]
        self._stopping = threading.Event()

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._stopping.set()
        for worker in self._workers:
            self._waiting.put(None)
            worker.interrupt()
        for thread in self._threads:
            thread.join()
        for worker in self._workers:
            worker.kill()

    def room(self) -> int:
        """Two for each worker: the one that it computes, and the next."""
        return 2 * len(self._workers)

    def submit(self, job: CellJob) -> None:
        """Accept a cell."""
        self._waiting.put(job)

    def ended(self, *, wait: bool) -> list[CellRecord]:
        """The records of cells that ended since the last call; with `wait`, at least one."""
        return self._outcomes.take(wait=wait)

    def _serve(self, worker: Worker) -> None:
        try:
            worker.start()
            while not self._stopping.is_set() and (job := self._waiting.get()) is not None:
                self._outcomes.put(compute(worker, job, self._maps))
        except BaseException as error:
            self._outcomes.put(error)


class InlinePool:
    """A pool that computes each cell in the calling thread, when its record is waited for."""

    def __init__(self, worker: Worker, maps: Path) -> None:
        self._worker = worker
        self._maps = str(maps)
        self._waiting: list[CellJob] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._waiting.clear()

    def room(self) -> int:
        """One: there is only the calling thread."""
        return 1

    def submit(self, job: CellJob) -> None:
        """Accept a cell."""
        self._waiting.append(job)

    def ended(self, *, wait: bool) -> list[CellRecord]:
        """With `wait`, compute the next cell and return its record; otherwise none has ended."""
        return [compute(self._worker, self._waiting.pop(0), self._maps)] if wait else []
