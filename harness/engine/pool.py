"""A local pool of hosts: as many cells at a time as there are workers."""

import queue
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.engine.host import Host, JobFailed
from harness.engine.messages import point_of
from harness.records import CellRecord
from harness.values import Point


@dataclass(frozen=True)
class CellJob:
    """A cell as a host is told of it; header holds spellings, never objects."""

    key: str
    header: dict[str, Any]


def compute(host: Host, job: CellJob, limit: float) -> CellRecord:
    """One cell in one host; whatever becomes of it is in the record."""
    points: list[Point] = []
    status, reason, detail, peak_memory = "ok", "", "", None
    started = time.perf_counter()
    try:
        for message in host.call("cell", limit, **job.header):
            if message.header["reply"] == "point":
                points.append(point_of(message))
            else:
                peak_memory = message.header["peak_memory"]
    except JobFailed as error:
        status, reason, detail = error.status, error.reason, error.detail
        peak_memory = error.peak_memory
    seconds = time.perf_counter() - started
    return CellRecord(job.key, status, reason, detail, seconds, peak_memory, points)


def compute_all(
    jobs: Sequence[CellJob], workers: int, plugins: Sequence[Path], limit: float
) -> Generator[CellRecord, None, None]:
    """Cells in any order as they end. Closing the iterator kills what is under way."""
    waiting: queue.SimpleQueue[CellJob] = queue.SimpleQueue()
    for job in jobs:
        waiting.put(job)
    ended: queue.SimpleQueue[CellRecord | BaseException] = queue.SimpleQueue()
    hosts = [Host(plugins) for _ in range(min(workers, len(jobs)))]
    stopping = threading.Event()

    def work(host: Host) -> None:
        try:
            while not stopping.is_set():
                ended.put(compute(host, waiting.get_nowait(), limit))
        except queue.Empty:
            pass
        except BaseException as error:
            ended.put(error)

    threads = [threading.Thread(target=work, args=(host,), daemon=True) for host in hosts]
    try:
        for thread in threads:
            thread.start()
        for _ in jobs:
            record = ended.get()
            if isinstance(record, BaseException):
                raise record
            yield record
    finally:
        stopping.set()
        for host in hosts:
            host.interrupt()
        for thread in threads:
            thread.join()
        for host in hosts:
            host.kill()
