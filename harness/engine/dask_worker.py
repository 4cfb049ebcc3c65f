"""The part of a run on one Dask worker: it keeps worker processes and computes cells in them.

A Dask worker gets cells only if its environment and the code of all components are those of the
coordinator: then it offers a resource of Dask's with the name of the run, which tasks need.
Every thread of a Dask worker has a worker process of its own, which is killed at a cell's limit.
The processes, and the guardian that ends them, start with the first cell and end when no cell has
come for a while: a Dask worker does not learn that the coordinator died.
"""

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import distributed
from distributed.core import Status
from numpy.typing import NDArray

from harness.engine.guardian import Guardian
from harness.engine.pool import CellJob, compute
from harness.engine.remote import Requirements
from harness.engine.worker import WorkerConfig
from harness.engine.worker_process import WorkerProcess
from harness.errors import RunStoppedError
from harness.plugin.values import AttentionMap
from harness.store.maps import save_map
from harness.store.records import CellRecord

# How much of its resource a worker offers: its threads are what is scarce.
PLENTY = 1e9
# What a process is busy with while code is compared.
CHECK = "check"
# Seconds after which unused processes end.
IDLE = 60.0
# Seconds between checks that somebody still waits for the cells.
CHECK_INTERVAL = 5.0

# The name of each plugin's file or folder, and its files by their paths beside it.
Plugins = Sequence[tuple[str, Mapping[str, bytes]]]


def task_name(run: str, cell: str) -> str:
    """The key of a cell's task in Dask."""
    return f"{run}-cell-{cell}"


def refusal_of(name: str, dask_worker: distributed.Worker) -> str | None:
    """Why a Dask worker gets no cells; "" if it does, None while it is not known."""
    processes = dask_worker.plugins.get(name)
    return None if processes is None else processes.refusal


def compute_on_worker(name: str, job: CellJob, weights: NDArray[Any]) -> CellRecord:
    """Compute one cell on this Dask worker; the task that Dask runs."""
    processes: WorkerProcesses = distributed.get_worker().plugins[name]
    return processes.compute(job, weights)


@dataclass(eq=False)
class WorkerProcesses(distributed.WorkerPlugin):  # type: ignore[misc]
    """The worker processes of one run on one Dask worker.

    plugins: those of `--plugin`.
    """

    idempotent = True
    refusal = None
    name: str
    config: WorkerConfig
    plugins: Plugins
    requirements: Requirements

    async def setup(self, worker: Any) -> None:
        """Offer to compute cells, or refuse; called by Dask when the worker or the plugin comes."""
        try:
            self._unpack(worker)
            refusal = await asyncio.to_thread(self._difference)
        except Exception as error:  # whatever is wrong there, other workers may be sound
            refusal = f"cannot compute cells: {type(error).__name__}: {error}"
        if not refusal:
            await worker.set_resources(**{self.name: PLENTY})
            # Dask looks for tasks that nobody could take when a worker begins to run, not when it
            # gets a resource.
            if worker.status == Status.running:
                worker.status = Status.paused
                worker.status = Status.running
        self.refusal = refusal

    def _unpack(self, worker: Any) -> None:
        # Dask sets it for its own workers; processes that inherit it are a third slower.
        os.environ.pop("MALLOC_TRIM_THRESHOLD_", None)
        self._worker = worker
        self._folder = Path(worker.local_directory) / self.name
        paths = []
        for number, (plugin, files) in enumerate(self.plugins):
            root = self._folder / "plugins" / str(number)
            for below, content in files.items():
                path = root / below
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            paths.append(root / plugin)
        self._local_config = replace(self.config, plugins=tuple(paths))
        self._guardian: Guardian | None = None
        self._idle: list[WorkerProcess] = []
        self._busy: dict[str, WorkerProcess] = {}
        # Guards the three above.
        self._changing = threading.Lock()
        self._last_used = time.monotonic()

    def _difference(self) -> str:
        """How this worker differs from the coordinator; "" if it does not."""
        process = self._take(CHECK)
        try:
            return self.requirements.refusal(process, self.config.extraction_threads)
        finally:
            self._give_back(CHECK, process)

    def teardown(self, worker: Any) -> None:
        """End all processes, busy ones too; called by Dask."""
        with self._changing:
            for process in self._busy.values():
                process.interrupt()
            self._end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def compute(self, job: CellJob, weights: NDArray[Any]) -> CellRecord:
        """Compute one cell; raises Dask's Reschedule if its process was interrupted."""
        maps = self._folder / "maps"
        save_map(AttentionMap(weights), maps)
        process = self._take(job.key)
        try:
            return compute(process, job, str(maps))
        except RunStoppedError as error:
            if process.is_interrupted:
                raise distributed.Reschedule from error
            raise
        finally:
            self._give_back(job.key, process)

    def _take(self, key: str) -> WorkerProcess:
        with self._changing:
            if self._guardian is None:
                self._guardian = Guardian().__enter__()
                threading.Thread(target=self._watch, args=(self._guardian,), daemon=True).start()
            if not self._idle:
                self._idle.append(WorkerProcess(self._local_config, self._guardian))
            self._busy[key] = self._idle.pop()
            return self._busy[key]

    def _give_back(self, key: str, process: WorkerProcess) -> None:
        with self._changing:
            del self._busy[key]
            self._last_used = time.monotonic()
            if process.is_interrupted or self._guardian is None:
                process.kill()
            else:
                self._idle.append(process)

    def _end(self) -> None:
        """End every idle process, and the guardian with all that remain."""
        while self._idle:
            self._idle.pop().kill()
        guardian, self._guardian = self._guardian, None
        if guardian is not None:
            guardian.__exit__()

    def _watch(self, guardian: Guardian) -> None:
        """End processes whose cell nobody waits for, and all of them after a time without cells."""
        while True:
            time.sleep(CHECK_INTERVAL)
            with self._changing:
                if self._guardian is not guardian:
                    return
                for key, process in self._busy.items():
                    if key == CHECK:
                        continue
                    task = self._worker.state.tasks.get(task_name(self.name, key))
                    if task is None or task.state == "cancelled":
                        process.interrupt()
                if not self._busy and time.monotonic() - self._last_used > IDLE:
                    self._end()
                    return
