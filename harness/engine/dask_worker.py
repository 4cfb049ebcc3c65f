"""What one Dask worker does for a run: it keeps hosts and computes cells in them.

Every thread of a worker has a host of its own, which is killed at a cell's limit as it is
elsewhere. Hosts, and the guardian that ends them, begin with the first cell, and end when none
came for a while: nobody tells a worker that its coordinator died.
"""

import os
import shutil
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import distributed
from numpy.typing import NDArray

from harness.engine.environment import difference, environment
from harness.engine.guardian import Guardian
from harness.engine.pool import CellJob, compute
from harness.engine.worker import WorkerConfig
from harness.engine.worker_process import WorkerProcess
from harness.errors import RunStoppedError
from harness.plugin.values import AttentionMap
from harness.store.maps import save_map
from harness.store.records import CellRecord

# How a difference between the coordinator and a worker is told.
SIDES = ("here", "there")
# Seconds after which hosts that nobody uses end.
IDLE = 60.0
# Seconds between looks whether anybody waits for what the hosts do.
LOOK = 5.0

# The name of each plugin's file or folder, and its files by their paths beside it.
Plugins = Sequence[tuple[str, Mapping[str, bytes]]]


def task_name(run: str, cell: str) -> str:
    """What Dask calls a cell of a run."""
    return f"{run}-cell-{cell}"


def compute_on_worker(name: str, job: CellJob, weights: NDArray[Any]) -> CellRecord:
    """One cell on the worker that this runs on; the task that Dask is given."""
    hosts: WorkerProcesses = distributed.get_worker().plugins[name]
    return hosts.compute(job, weights)


class WorkerProcesses(distributed.WorkerPlugin):  # type: ignore[misc]
    """The hosts of one run on one Dask worker.

    plugins: what was given as `--plugin`; wanted: the environment that the run was begun with,
    or None if any will do.
    """

    def __init__(
        self, name: str, terms: WorkerConfig, plugins: Plugins, wanted: Mapping[str, Any] | None
    ) -> None:
        self.name = name
        self.idempotent = True
        self._terms = terms
        self._plugins = plugins
        self._wanted = wanted

    def setup(self, worker: Any) -> None:
        """Unpack the plugins; called by Dask when the worker or the plugin comes."""
        # Dask sets it for its workers' own sake; hosts that inherit it are a third slower.
        os.environ.pop("MALLOC_TRIM_THRESHOLD_", None)
        self._worker = worker
        self._folder = Path(worker.local_directory) / self.name
        paths = []
        for number, (plugin, files) in enumerate(self._plugins):
            root = self._folder / "plugins" / str(number)
            for below, content in files.items():
                path = root / below
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            paths.append(root / plugin)
        self._local_terms = replace(self._terms, plugins=tuple(paths))
        self._refusal = ""
        if self._wanted is not None:
            here = environment(self._terms.extraction_threads)
            if found := difference(self._wanted, here, SIDES):
                self._refusal = f"--dask: the worker {worker.address} differs: {found}"
        self._guardian: Guardian | None = None
        self._idle: list[WorkerProcess] = []
        self._busy: dict[str, WorkerProcess] = {}
        # Guards the three above.
        self._changing = threading.Lock()
        self._last_used = time.monotonic()

    def teardown(self, worker: Any) -> None:
        """End the hosts, those at work too; called by Dask."""
        with self._changing:
            for host in self._busy.values():
                host.interrupt()
            self._end()
        shutil.rmtree(self._folder, ignore_errors=True)

    def compute(self, job: CellJob, weights: NDArray[Any]) -> CellRecord:
        """One cell in a host of this worker.

        Raises RunStoppedError if this worker is not fit for the run, and Dask's Reschedule if the
        host was ended because the worker goes or nobody waits for the cell.
        """
        if self._refusal:
            raise RunStoppedError(self._refusal)
        maps = self._folder / "maps"
        save_map(AttentionMap(weights), maps)
        host = self._take(job.key)
        try:
            return compute(host, job, str(maps))
        except RunStoppedError as error:
            if host.is_interrupted:
                raise distributed.Reschedule from error
            raise
        finally:
            self._give_back(job.key, host)

    def _take(self, key: str) -> WorkerProcess:
        with self._changing:
            if self._guardian is None:
                self._guardian = Guardian().__enter__()
                threading.Thread(target=self._watch, args=(self._guardian,), daemon=True).start()
            host = (
                self._idle.pop() if self._idle else WorkerProcess(self._local_terms, self._guardian)
            )
            self._busy[key] = host
            return host

    def _give_back(self, key: str, host: WorkerProcess) -> None:
        with self._changing:
            del self._busy[key]
            self._last_used = time.monotonic()
            if host.is_interrupted or self._guardian is None:
                host.kill()
            else:
                self._idle.append(host)

    def _end(self) -> None:
        """End the guardian, and with it every host."""
        while self._idle:
            self._idle.pop().kill()
        guardian, self._guardian = self._guardian, None
        if guardian is not None:
            guardian.__exit__(None, None, None)

    def _watch(self, guardian: Guardian) -> None:
        """End hosts whose cell nobody waits for, and all when there is nothing to do."""
        while True:
            time.sleep(LOOK)
            with self._changing:
                if self._guardian is not guardian:
                    return
                for key, host in self._busy.items():
                    task = self._worker.state.tasks.get(task_name(self.name, key))
                    if task is None or task.state == "cancelled":
                        host.interrupt()
                if not self._busy and time.monotonic() - self._last_used > IDLE:
                    self._end()
                    return
