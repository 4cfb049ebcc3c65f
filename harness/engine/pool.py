"""What computes cells: worker processes here, or the calling process; `dask_pool` has another."""

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from harness.engine.messages import point_of
from harness.engine.worker import JobFailedError, Worker
from harness.plugin.profile import Point
from harness.store.records import CellRecord


@dataclass(frozen=True)
class CellJob:
    """A cell as a host is told of it; header holds spellings, never objects.

    job: what the host is asked to do; digest: of the map, whose weights the pool brings to where
    the cell is computed; limit: seconds.
    """

    key: str
    job: str
    digest: str
    limit: float
    header: dict[str, Any]


class Pool(Protocol):
    """Computes cells, many at a time, in any order. Use as a context manager.

    Leaving it kills what is under way.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def room(self) -> int:
        """How many cells it should be given, under way and waiting, to be kept busy."""

    def submit(self, job: CellJob) -> None:
        """Take a cell."""

    def ended(self, *, wait: bool) -> list[CellRecord]:
        """What became of cells since the last call; with `wait`, of at least one.

        Raises RunStoppedError if the pool cannot go on, after all that ended before was handed out.
        """


class ResultQueue:
    """Hands what became of cells from the threads that learn of it to the one that asks."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[CellRecord | BaseException] = queue.SimpleQueue()
        self._trouble: BaseException | None = None

    def put(self, outcome: CellRecord | BaseException) -> None:
        """Hand over a record, or why there will be no more."""
        self._queue.put(outcome)

    def take(self, *, wait: bool, patience: float | None = None) -> list[CellRecord]:
        """All records since the last call; with `wait`, at least one, if it comes in `patience` s.

        Raises the trouble that was handed over, once the records beside it are taken.
        """
        found = []
        with contextlib.suppress(queue.Empty):
            if wait and self._trouble is None:
                found.append(self._queue.get(timeout=patience))
            while True:
                found.append(self._queue.get_nowait())
        records = [outcome for outcome in found if isinstance(outcome, CellRecord)]
        for outcome in found:
            if isinstance(outcome, BaseException) and self._trouble is None:
                self._trouble = outcome
        if self._trouble is not None and not records:
            trouble, self._trouble = self._trouble, None
            raise trouble
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
    """As many cells at a time as there are workers; a Pool.

    The workers start at once, each in the thread that serves it.
    """

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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        for worker in self._workers:
            self._waiting.put(None)
            worker.interrupt()
        for thread in self._threads:
            thread.join()
        for worker in self._workers:
            worker.kill()

    def room(self) -> int:
        """Two a worker: what it does, and what it does next."""
        return 2 * len(self._workers)

    def submit(self, job: CellJob) -> None:
        """Take a cell."""
        self._waiting.put(job)

    def ended(self, *, wait: bool) -> list[CellRecord]:
        """What became of cells since the last call; with `wait`, of at least one."""
        return self._outcomes.take(wait=wait)

    def _serve(self, worker: Worker) -> None:
        try:
            worker.start()
            while not self._stopping.is_set() and (job := self._waiting.get()) is not None:
                self._outcomes.put(compute(worker, job, self._maps))
        except BaseException as error:
            self._outcomes.put(error)


class InlinePool:
    """Computes a cell in the calling thread when its result is waited for; a Pool."""

    def __init__(self, worker: Worker, maps: Path) -> None:
        self._worker = worker
        self._maps = str(maps)
        self._waiting: list[CellJob] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._waiting.clear()

    def room(self) -> int:
        """One: there is nobody else to keep busy."""
        return 1

    def submit(self, job: CellJob) -> None:
        """Take a cell."""
        self._waiting.append(job)

    def ended(self, *, wait: bool) -> list[CellRecord]:
        """With `wait` the record of the cell that waited longest; without, nothing has ended."""
        return [compute(self._worker, self._waiting.pop(0), self._maps)] if wait else []
