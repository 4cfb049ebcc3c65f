"""What computes cells: a pool of hosts here, or on other machines."""

import contextlib
import queue
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

from harness.engine.host import JobFailedError, WorkerProcess
from harness.engine.messages import point_of
from harness.plugin.values import Point
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


def compute(host: WorkerProcess, job: CellJob, folder: str) -> CellRecord:
    """One cell in one host, its map in a folder; whatever becomes of it is in the record."""
    points: list[Point] = []
    status, reason, detail, peak_memory = "ok", "", "", None
    started = time.perf_counter()
    try:
        host.start()
        started = time.perf_counter()
        for message in host.call(job.job, job.limit, folder=folder, **job.header):
            if message.header["reply"] == "point":
                points.append(point_of(message))
            else:
                peak_memory = message.header["peak_memory"]
    except JobFailedError as error:
        status, reason, detail = error.status, error.reason, error.detail
        peak_memory = error.peak_memory
    seconds = time.perf_counter() - started
    return CellRecord(job.key, status, reason, detail, seconds, peak_memory, points)
