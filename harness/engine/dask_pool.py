"""Cells on the workers of a Dask cluster, seen from the coordinator.

Only the coordinator reads and writes the store. A map is sent once, as a task that its cells
depend on, so that Dask can make it again when a worker is lost. Dask decides which worker computes
which cell, and gives the cells of a lost worker to another; the worker processes on the Dask
workers enforce the limits of cells (`dask_worker`).
"""

import contextlib
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from harness.engine.environment import difference, environment
from harness.engine.pool import CellJob, Pool
from harness.engine.worker import WorkerConfig
from harness.errors import HarnessError, RunStoppedError
from harness.planning.progress import Progress
from harness.store.records import CellRecord

try:
    import dask
    import distributed
except ImportError as error:
    raise HarnessError(
        "--dask: Dask is not installed; pip install 'attention-harness[dask]'"
    ) from error

from harness.engine.dask_worker import SIDES, Plugins, WorkerProcesses, compute_on_worker, task_name

LOCAL = "local"
ADDRESS = re.compile(r"((tcp|tls|ucx|ws|wss)://)?[^/\s]+:\d+/?")
# Seconds in which a scheduler must answer.
CONNECT_LIMIT = 5
# Seconds between counts of the workers.
COUNT_INTERVAL = 5.0
# Loggers of Dask that print a traceback for what this module says in a line.
CHATTY = ("distributed", "distributed.client")
# Maps that stay on the cluster although no submitted cell needs them.
SPARE_MAPS = 32


class DaskPool:
    """A pool of all workers of a cluster, as they come and go."""

    def __init__(
        self, client: "distributed.Client", name: str, maps: Path, progress: Progress
    ) -> None:
        self._client = client
        self._name = name
        self._maps = maps
        self._progress = progress
        self._cells: dict[str, tuple[CellJob, distributed.Future]] = {}
        self._sent: OrderedDict[str, distributed.Future] = OrderedDict()
        self._threads = -1
        self._counted = -COUNT_INTERVAL

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        with contextlib.suppress(Exception):
            self._client.cancel([task for _, task in list(self._cells.values())], force=True)
            self._client.unregister_worker_plugin(self._name)

    def room(self) -> int:
        """Three for each thread of the cluster: one in work, and two to hide the network."""
        self._count_threads()
        return 3 * max(1, self._threads)

    def submit(self, job: CellJob) -> Future[CellRecord]:
        """Accept a cell."""
        task = self._client.submit(
            compute_on_worker,
            self._name,
            job,
            self._weights(job.digest),
            key=task_name(self._name, job.key),
            pure=False,
        )
        self._cells[job.key] = job, task
        ended = Future[CellRecord]()
        task.add_done_callback(partial(self._end, job, ended))
        return ended

    def _count_threads(self) -> None:
        """Count the cluster's threads at intervals, and warn when there are none."""
        if time.monotonic() - self._counted < COUNT_INTERVAL:
            return
        self._counted = time.monotonic()
        before = self._threads
        # If the scheduler is gone, the submitted cells say so.
        with contextlib.suppress(OSError):
            self._threads = sum(self._client.nthreads().values())
        if not self._threads and before:
            self._progress.warn("--dask: there is no worker; waiting for one")

    def _weights(self, digest: str) -> "distributed.Future":
        if digest not in self._sent:
            needed = {job.digest for job, _ in list(self._cells.values())}
            for old in [old for old in self._sent if old not in needed][: -SPARE_MAPS or None]:
                del self._sent[old]
            weights = np.load(self._maps / f"{digest}.npy", allow_pickle=False)
            key = f"{self._name}-map-{digest}"
            self._sent[digest] = self._client.submit(_identity, weights, key=key, pure=False)
        self._sent.move_to_end(digest)
        return self._sent[digest]

    def _end(self, job: CellJob, ended: Future[CellRecord], task: "distributed.Future") -> None:
        """Pass on the record of a cell; called in a thread of Dask."""
        try:
            ended.set_result(_record(job, task))
        except HarnessError as error:
            ended.set_exception(error)
        except BaseException as error:
            ended.set_exception(RunStoppedError(f"--dask: {type(error).__name__}: {error}"))
        self._cells.pop(job.key, None)


def _identity(weights: NDArray[Any]) -> NDArray[Any]:
    return weights


def _record(job: CellJob, future: "distributed.Future") -> CellRecord:
    if future.status == "finished":
        record: CellRecord = future.result()
        return record
    if future.status != "error":
        raise RunStoppedError("--dask: the scheduler is gone; the same command continues")
    error = future.exception()
    if isinstance(error, distributed.scheduler.KilledWorker):
        lost = f"{error.allowed_failures + 1} Dask workers in a row were lost with it"
        return CellRecord(job.key, "killed", lost)
    if isinstance(error, HarnessError):
        raise error
    raise RunStoppedError(f"a Dask worker failed: {type(error).__name__}: {error}") from error


@contextmanager
def connect(
    address: str,
    workers: int,
    config: WorkerConfig,
    maps: Path,
    expected: Mapping[str, Any] | None,
    progress: Progress,
) -> Iterator[Pool]:
    """A pool on the cluster of a scheduler, or on a new cluster of `workers` processes.

    Raises HarnessError if the scheduler does not answer, or if a worker cannot import the harness
    or differs from the environment `expected`.
    """
    with contextlib.ExitStack() as opened:
        for name in CHATTY:
            logger = logging.getLogger(name)
            opened.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.CRITICAL)
        client = opened.enter_context(_client(address, workers, opened))
        _compare(client, config, expected)
        name = f"attention-harness-{client.id}"
        processes = WorkerProcesses(name, config, _files_of(config.plugins), expected)
        client.register_plugin(processes, name=name)
        yield opened.enter_context(DaskPool(client, name, maps, progress))


def _client(
    address: str, workers: int, opened: contextlib.ExitStack
) -> contextlib.AbstractContextManager["distributed.Client"]:
    target: Any = address
    if address == LOCAL:
        opened.enter_context(_safe_path())
        target = opened.enter_context(
            distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=":0", silence_logs=50
            )
        )
    elif not ADDRESS.fullmatch(address):
        raise HarnessError(
            f"--dask {address}: neither an address like tcp://host:8786 nor {LOCAL}, which starts "
            "workers here"
        )
    try:
        client: contextlib.AbstractContextManager[distributed.Client] = distributed.Client(
            target, timeout=CONNECT_LIMIT, set_as_default=False
        )
        return client
    except (OSError, ValueError, TypeError) as error:
        raise HarnessError(
            f"--dask {address}: no scheduler answers there ({' '.join(str(error).split())})"
        ) from error


def _safe_path() -> contextlib.AbstractContextManager[object]:
    """Let the workers that Dask starts here import nothing from the working folder."""
    environment = dask.config.get("distributed.nanny.pre-spawn-environ", {})
    safe = {**environment, "PYTHONSAFEPATH": "1"}
    changed: contextlib.AbstractContextManager[object] = dask.config.set(
        {"distributed.nanny.pre-spawn-environ": safe}
    )
    return changed


def _compare(
    client: "distributed.Client", config: WorkerConfig, expected: Mapping[str, Any] | None
) -> None:
    try:
        found = client.run(environment, config.extraction_threads)
    except Exception as error:
        raise HarnessError(
            f"--dask: a worker cannot use the harness ({type(error).__name__}: {error}); install "
            "the same version there"
        ) from error
    for address, there in found.items():
        if expected is not None and (differs := difference(expected, there, SIDES)):
            raise HarnessError(
                f"--dask: the worker {address} differs ({differs}); install the same there, or "
                "mix them with --any-environment"
            )


def _files_of(plugins: Sequence[Path]) -> Plugins:
    found = []
    for plugin in plugins:
        path = plugin.resolve()
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        contents = {
            str(file.relative_to(path.parent)): file.read_bytes()
            for file in files
            if "__pycache__" not in file.parts
        }
        found.append((path.name, contents))
    return found
