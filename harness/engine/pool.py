"""What computes cells: a pool of hosts here, or on other machines."""

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

from harness.engine.host import Host, JobFailed
from harness.engine.messages import point_of
from harness.records import CellRecord
from harness.values import Point


@dataclass(frozen=True)
class CellJob:
    """A cell as a host is told of it; header holds spellings, never objects.

    digest: of the map, whose weights the pool brings to where the cell is computed; limit:
    seconds.
    """

    key: str
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

        Raises RunStopped if the pool cannot go on.
        """


def compute(host: Host, job: CellJob, folder: str) -> CellRecord:
    """One cell in one host, its map in a folder; whatever becomes of it is in the record."""
    points: list[Point] = []
    status, reason, detail, peak_memory = "ok", "", "", None
    started = time.perf_counter()
    try:
        host.start()
        started = time.perf_counter()
        for message in host.call("cell", job.limit, folder=folder, map=job.digest, **job.header):
            if message.header["reply"] == "point":
                points.append(point_of(message))
            else:
                peak_memory = message.header["peak_memory"]
    except JobFailed as error:
        status, reason, detail = error.status, error.reason, error.detail
        peak_memory = error.peak_memory
    seconds = time.perf_counter() - started
    return CellRecord(job.key, status, reason, detail, seconds, peak_memory, points)
