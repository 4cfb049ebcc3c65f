"""Hosts on the workers of a Dask cluster: the same plan, store and isolation.

The coordinator alone reads and writes the store. A map is sent once, as a task that the cells of
that map depend on, so that Dask has it again when a worker is lost. On a worker every thread has
a host of its own, which is killed at a cell's limit as it is here; Dask's own part is to know
which worker does what, and to give a lost worker's cells to another.
"""

import contextlib
import os
import queue
import re
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from harness.engine.guardian import Guardian
from harness.engine.host import Host, Terms
from harness.engine.kept_maps import keep
from harness.engine.pool import CellJob, Pool, compute
from harness.engine.progress import Progress
from harness.engine.provenance import difference, environment
from harness.errors import HarnessError, RunStopped
from harness.records import CellRecord
from harness.values import AttentionMap

try:
    import distributed
except ImportError as error:
    raise HarnessError(
        "--dask: Dask is not installed; pip install 'attention-harness[dask]'"
    ) from error

LOCAL = "local"
ADDRESS = re.compile(r"((tcp|tls|ucx|ws|wss)://)?[^/\s]+:\d+/?")
# How a difference between the coordinator and a worker is told.
SIDES = ("here", "there")
# Seconds to reach a scheduler.
PATIENCE = 5
# Seconds after which hosts that nobody uses end: their coordinator may have died.
IDLE = 60.0
# Seconds between looks at how many workers there are.
LOOK = 5.0
# Maps that are kept on the cluster although no cell under way needs them.
SPARE_MAPS = 32

# The name of each plugin's file or folder, and its files by their paths beside it.
Plugins = Sequence[tuple[str, Mapping[str, bytes]]]


class WorkerHosts(distributed.WorkerPlugin):  # type: ignore[misc]
    """The hosts of one run on one Dask worker.

    plugins: what was given as `--plugin`; wanted: the environment that the run was begun with,
    or None if any will do.
    """

    def __init__(
        self, name: str, terms: Terms, plugins: Plugins, wanted: Mapping[str, Any] | None
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
        self._worker = worker
        self._idle: queue.LifoQueue[Host] = queue.LifoQueue()
        self._busy: dict[str, Host] = {}
        self._guardian = Guardian().__enter__()
        self._last_used = time.monotonic()
        self._closing = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def teardown(self, worker: Any) -> None:
        """End the hosts, those at work too; called by Dask."""
        self._closing.set()
        # Which ends the guardian, and it ends all hosts.
        self._guardian.__exit__(None, None, None)
        shutil.rmtree(self._folder, ignore_errors=True)

    def compute(self, job: CellJob, weights: NDArray[Any]) -> CellRecord:
        """One cell in a host of this worker.

        Raises RunStopped if this worker is not fit for the run.
        """
        if self._refusal:
            raise RunStopped(self._refusal)
        maps = self._folder / "maps"
        keep(AttentionMap(weights), maps)
        try:
            host = self._idle.get_nowait()
        except queue.Empty:
            host = Host(self._local_terms, self._guardian)
        self._busy[job.key] = host
        try:
            return compute(host, job, str(maps))
        finally:
            del self._busy[job.key]
            self._last_used = time.monotonic()
            if not host.is_interrupted:
                self._idle.put(host)

    def _watch(self) -> None:
        """End hosts whose cell nobody waits for any more, and those that have nothing to do."""
        while not self._closing.wait(LOOK):
            for key, host in list(self._busy.items()):
                task = self._worker.state.tasks.get(_task_name(self.name, key))
                if task is None or task.state == "cancelled":
                    host.interrupt()
            if not self._busy and time.monotonic() - self._last_used > IDLE:
                with contextlib.suppress(queue.Empty):
                    while True:
                        self._idle.get_nowait().kill()


def _task_name(run: str, cell: str) -> str:
    return f"{run}-cell-{cell}"


def _compute_on_worker(name: str, job: CellJob, weights: NDArray[Any]) -> CellRecord:
    hosts: WorkerHosts = distributed.get_worker().plugins[name]
    return hosts.compute(job, weights)


def _as_it_is(weights: NDArray[Any]) -> NDArray[Any]:
    return weights


class DaskPool:
    """Cells on all workers that the cluster has, as they come and go; a Pool."""

    def __init__(self, client: "distributed.Client", name: str, maps: Path) -> None:
        self._client = client
        self._name = name
        self._maps = maps
        self._cells: dict[distributed.Future, CellJob] = {}
        self._ended = distributed.as_completed(loop=client.loop)
        self._sent: OrderedDict[str, distributed.Future] = OrderedDict()
        self._room = 0
        self._counted = -LOOK

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        with contextlib.suppress(Exception):
            self._client.cancel(list(self._cells), force=True)
            self._client.unregister_worker_plugin(self._name)

    def room(self) -> int:
        """Three for every thread of the cluster: one at work, and what hides the network."""
        if time.monotonic() - self._counted >= LOOK:
            self._counted = time.monotonic()
            self._room = 3 * max(1, sum(self._client.nthreads().values()))
        return self._room

    def submit(self, job: CellJob) -> None:
        """Take a cell."""
        future = self._client.submit(
            _compute_on_worker,
            self._name,
            job,
            self._weights(job.digest),
            key=_task_name(self._name, job.key),
            pure=False,
        )
        self._cells[future] = job
        self._ended.add(future)

    def ended(self, *, wait: bool) -> list[CellRecord]:
        """What became of cells since the last call; with `wait`, of at least one."""
        return [self._record(future) for future in self._ended.next_batch(block=wait)]

    def _weights(self, digest: str) -> "distributed.Future":
        if digest not in self._sent:
            weights = np.load(self._maps / f"{digest}.npy", allow_pickle=False)
            key = f"{self._name}-map-{digest}"
            self._sent[digest] = self._client.submit(_as_it_is, weights, key=key, pure=False)
        self._sent.move_to_end(digest)
        needed = {job.digest for job in self._cells.values()} | {digest}
        for old in [old for old in self._sent if old not in needed][: -SPARE_MAPS or None]:
            del self._sent[old]
        return self._sent[digest]

    def _record(self, future: "distributed.Future") -> CellRecord:
        job = self._cells.pop(future)
        if future.status == "finished":
            record: CellRecord = future.result()
            return record
        if future.status != "error":
            raise RunStopped("the Dask scheduler is gone; the same command goes on from here")
        error = future.exception()
        if isinstance(error, distributed.scheduler.KilledWorker):
            lost = f"{error.allowed_failures + 1} Dask workers in a row were lost with it"
            return CellRecord(job.key, "killed", lost)
        if isinstance(error, HarnessError):
            raise error
        raise RunStopped(f"a Dask worker failed: {type(error).__name__}: {error}") from error


@contextmanager
def connect(
    address: str,
    workers: int,
    terms: Terms,
    maps: Path,
    wanted: Mapping[str, Any] | None,
    progress: Progress,
) -> Iterator[Pool]:
    """A pool on the cluster of a scheduler, or on one of `workers` processes started for it.

    Raises HarnessError if the scheduler is not to be reached, or a worker cannot import the
    harness or differs from the environment `wanted`.
    """
    with contextlib.ExitStack() as opened:
        client = opened.enter_context(_client(address, workers, opened))
        _compare(client, terms, wanted)
        name = f"attention-harness-{client.id}"
        hosts = WorkerHosts(name, terms, _files_of(terms.plugins), wanted)
        client.register_plugin(hosts, name=name)
        if not client.nthreads():
            progress.warn(f"{address}: no Dask worker is there yet; waiting")
        yield opened.enter_context(DaskPool(client, name, maps))


def _client(
    address: str, workers: int, opened: contextlib.ExitStack
) -> contextlib.AbstractContextManager["distributed.Client"]:
    target: Any = address
    if address == LOCAL:
        target = opened.enter_context(
            distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=":0", silence_logs=50
            )
        )
    elif not ADDRESS.fullmatch(address):
        raise HarnessError(
            f"--dask {address}: not an address like tcp://host:8786, nor {LOCAL}, which starts "
            "workers here"
        )
    try:
        client: contextlib.AbstractContextManager[distributed.Client] = distributed.Client(
            target, timeout=PATIENCE, set_as_default=False
        )
        return client
    except (OSError, ValueError, TypeError) as error:
        raise HarnessError(
            f"--dask {address}: no scheduler answers there ({' '.join(str(error).split())})"
        ) from error


def _compare(client: "distributed.Client", terms: Terms, wanted: Mapping[str, Any] | None) -> None:
    try:
        found = client.run(environment, terms.extraction_threads)
    except Exception as error:
        raise HarnessError(
            f"--dask: a worker cannot use the harness ({type(error).__name__}: {error}); install "
            "the same version there"
        ) from error
    for address, there in found.items():
        if wanted is not None and (differs := difference(wanted, there, SIDES)):
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
