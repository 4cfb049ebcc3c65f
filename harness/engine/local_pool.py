"""Hosts on this machine, one a worker."""

import contextlib
import queue
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.engine.host import Host, JobFailed
from harness.engine.pool import CellJob, compute
from harness.records import CellRecord


class LocalPool:
    """As many cells at a time as there are workers; a Pool.

    The hosts start at once, each in the thread that serves it.
    """

    def __init__(self, workers: int, make_host: Callable[[], Host], maps: Path) -> None:
        self._hosts = [make_host() for _ in range(workers)]
        self._maps = str(maps)
        self._waiting: queue.SimpleQueue[CellJob | None] = queue.SimpleQueue()
        self._ended: queue.SimpleQueue[CellRecord | BaseException] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._serve, args=(host,), daemon=True) for host in self._hosts
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
        for host in self._hosts:
            self._waiting.put(None)
            host.interrupt()
        for thread in self._threads:
            thread.join()
        for host in self._hosts:
            host.kill()

    def room(self) -> int:
        """Two a worker: what it does, and what it does next."""
        return 2 * len(self._hosts)

    def submit(self, job: CellJob) -> None:
        """Take a cell."""
        self._waiting.put(job)

    def ended(self, *, wait: bool) -> list[CellRecord]:
        """What became of cells since the last call; with `wait`, of at least one."""
        found = [self._ended.get()] if wait else []
        with contextlib.suppress(queue.Empty):
            while True:
                found.append(self._ended.get_nowait())
        records = []
        for record in found:
            if isinstance(record, BaseException):
                raise record
            records.append(record)
        return records

    def _serve(self, host: Host) -> None:
        try:
            # A host that cannot be started says so again when it is given a cell.
            with contextlib.suppress(JobFailed):
                host.start()
            while not self._stopping.is_set() and (job := self._waiting.get()) is not None:
                self._ended.put(compute(host, job, self._maps))
        except BaseException as error:
            self._ended.put(error)
