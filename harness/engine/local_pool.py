"""Hosts on this machine, one a worker."""

import queue
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from harness.engine.host import WorkerProcess
from harness.engine.pool import CellJob, ResultQueue, compute
from harness.store.records import CellRecord


class LocalPool:
    """As many cells at a time as there are workers; a Pool.

    The hosts start at once, each in the thread that serves it.
    """

    def __init__(self, workers: int, make_host: Callable[[], WorkerProcess], maps: Path) -> None:
        self._hosts = [make_host() for _ in range(workers)]
        self._maps = str(maps)
        self._waiting: queue.SimpleQueue[CellJob | None] = queue.SimpleQueue()
        self._outcomes = ResultQueue()
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
        return self._outcomes.take(wait=wait)

    def _serve(self, host: WorkerProcess) -> None:
        try:
            host.start()
            while not self._stopping.is_set() and (job := self._waiting.get()) is not None:
                self._outcomes.put(compute(host, job, self._maps))
        except BaseException as error:
            self._outcomes.put(error)
