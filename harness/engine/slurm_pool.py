"""Cells in jobs of Slurm, seen from the coordinator.

Cells are collected into chunks. Each chunk is a job, which submitit submits. A job reads the maps
in the run's folder, computes in worker processes of its own, and appends each record to a file,
which the coordinator reads: so a job that dies loses only what it had not computed. Only the
coordinator writes the store.
"""

import contextlib
import json
import logging
import secrets
import shutil
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import submitit

from harness.engine.messages import record_of
from harness.engine.pool import CellJob, Pool
from harness.engine.remote import Requirements
from harness.engine.slurm_file import SlurmFile, read_slurm_file
from harness.engine.slurm_job import compute_chunk
from harness.engine.worker import WorkerConfig
from harness.errors import HarnessError, RunStoppedError, reason_of
from harness.planning.settings import Execution
from harness.store.records import CellRecord

# Seconds between looks at the jobs; for how long an incomplete chunk waits for more cells.
TICK, PATIENCE = 0.5, 2.0
# Seconds in which cancelled jobs on this machine end.
CLOSE_LIMIT = 5.0
# A cell is killed if it is lost with so many jobs, as it is on Dask by default.
MOST_LOST = 4
# What the name of the folder of jobs begins with.
PREFIX = "slurm-"
# Characters of the end of a job's stderr that are stored.
SHOWN = 2000


@dataclass(eq=False)
class _Cell:
    """A cell that has no record yet, and with how many jobs it was lost."""

    job: CellJob
    ended: Future[CellRecord]
    lost: int = 0


@dataclass(eq=False)
class _Chunk:
    """A job, its cells without a record, and how far the file of its records was read."""

    cells: dict[str, _Cell]
    records: Path
    job: Any = None
    read: int = 0


class SlurmPool:
    """A pool of jobs. Use as a context manager; on exit, all jobs are cancelled."""

    def __init__(
        self, executor: Any, file: SlurmFile, folder: Path, shared: dict[str, Any]
    ) -> None:
        self._executor = executor
        self._file = file
        self._folder = folder
        self._lifeline = folder / "lifeline"
        self._shared = {**shared, "lifeline": str(self._lifeline)}
        self._waiting: deque[_Cell] = deque()
        # Cells that were lost with a job: each gets one of its own.
        self._doubtful: deque[_Cell] = deque()
        self._came = 0.0
        self._chunks: list[_Chunk] = []
        self._failure: HarnessError | None = None
        # Guards the cells that wait, and the failure.
        self._changing = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._attend, daemon=True)

    def __enter__(self) -> "SlurmPool":
        self._lifeline.touch()
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._closing.set()
        self._thread.join()
        for chunk in self._chunks:
            with contextlib.suppress(Exception):
                chunk.job.cancel(check=False)
        until = time.monotonic() + CLOSE_LIMIT
        while self._file.cluster == "local" and time.monotonic() < until:
            if all(chunk.job is None or chunk.job.done() for chunk in self._chunks):
                break
            time.sleep(TICK)

    def room(self) -> int:
        """Two chunks for each job: the one that it computes, and the next."""
        return 2 * self._file.chunk * self._file.jobs

    def submit(self, job: CellJob) -> Future[CellRecord]:
        """Accept a cell."""
        cell = _Cell(job, Future())
        with self._changing:
            if self._failure is not None:
                cell.ended.set_exception(self._failure)
            else:
                self._waiting.append(cell)
                self._came = time.monotonic()
        return cell.ended

    def _attend(self) -> None:
        """Submit cells and take records, until the pool is closed or cannot go on."""
        try:
            while not self._closing.wait(TICK):
                self._lifeline.touch()
                self._submit(self._next_chunks())
                for chunk in list(self._chunks):
                    self._look(chunk)
        except HarnessError as error:
            self._fail(error)
        except BaseException as error:
            self._fail(RunStoppedError(f"slurm: {reason_of(error)}"))

    def _fail(self, failure: HarnessError) -> None:
        with self._changing:
            self._failure = failure
            cells = [*self._waiting, *self._doubtful]
        for cell in cells + [cell for chunk in self._chunks for cell in chunk.cells.values()]:
            cell.ended.set_exception(failure)

    def _next_chunks(self) -> list[_Chunk]:
        """The cells to submit now, as many jobs as there may be more."""
        found: list[list[_Cell]] = []
        free = self._file.jobs - len(self._chunks)
        with self._changing:
            while self._doubtful and len(found) < free:
                found.append([self._doubtful.popleft()])
            is_late = time.monotonic() - self._came >= PATIENCE
            while len(found) < free and len(self._waiting) >= (1 if is_late else self._file.chunk):
                count = min(self._file.chunk, len(self._waiting))
                found.append([self._waiting.popleft() for _ in range(count)])
        return [
            _Chunk(
                {cell.job.key: cell for cell in cells},
                self._folder / f"{secrets.token_hex(8)}.jsonl",
            )
            for cells in found
        ]

    def _submit(self, chunks: Sequence[_Chunk]) -> None:
        if not chunks:
            return
        # First, so that their cells fail if they cannot be submitted.
        self._chunks += chunks
        texts = [
            json.dumps(
                {
                    **self._shared,
                    "records": str(chunk.records),
                    "cells": [vars(cell.job) for cell in chunk.cells.values()],
                }
            )
            for chunk in chunks
        ]
        try:
            jobs = self._executor.map_array(compute_chunk, texts)
        except Exception as error:
            raise RunStoppedError(f"slurm: no job can be submitted: {reason_of(error)}") from error
        for chunk, job in zip(chunks, jobs, strict=True):
            chunk.job = job

    def _look(self, chunk: _Chunk) -> None:
        """Take the records of a job, and give its other cells to more jobs if it has ended."""
        has_ended = chunk.job.done()
        self._take(chunk)
        if has_ended:
            self._chunks.remove(chunk)
            for cell in chunk.cells.values():
                self._retry(cell, chunk)

    def _take(self, chunk: _Chunk) -> None:
        if not chunk.records.exists():
            return
        with chunk.records.open("rb") as file:
            file.seek(chunk.read)
            content = file.read()
        complete = content[: content.rfind(b"\n") + 1]
        chunk.read += len(complete)
        for line in complete.splitlines():
            try:
                found = json.loads(line)
            except ValueError:
                # The job died while it wrote, and Slurm started it again.
                continue
            if "stopped" in found:
                raise RunStoppedError(f"slurm: job {chunk.job.job_id}: {found['stopped']}")
            record = record_of(found["record"])
            # A job that is started again computes all its cells again.
            if cell := chunk.cells.pop(record.key, None):
                cell.ended.set_result(record)

    def _retry(self, cell: _Cell, chunk: _Chunk) -> None:
        cell.lost += 1
        if cell.lost < MOST_LOST:
            with self._changing:
                self._doubtful.append(cell)
            return
        reason = f"{cell.lost} Slurm jobs in a row ended with it, the last as {chunk.job.state}"
        detail = (chunk.job.stderr() or "")[-SHOWN:]
        cell.ended.set_result(CellRecord(cell.job.key, "killed", reason, detail))


@contextmanager
def submitting(
    execution: Execution, config: WorkerConfig, requirements: Requirements, maps: Path
) -> Iterator[Pool]:
    """A pool of jobs, whose files are in a folder of their own beside the maps, and then removed.

    Raises HarnessError if no job can be submitted from here.
    """
    assert execution.slurm is not None
    file = read_slurm_file(execution.slurm)
    if file.cluster == "local":
        file = replace(file, jobs=min(file.jobs, execution.workers))
    # With a scratch folder, the maps are a link into the run's folder.
    maps = maps.resolve()
    for old in maps.parent.glob(f"{PREFIX}*"):
        # A coordinator died, and its jobs end without it.
        shutil.rmtree(old, ignore_errors=True)
    folder = Path(mkdtemp(prefix=PREFIX, dir=maps.parent))
    logger = logging.getLogger("submitit")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        shared = {
            "config": replace(
                config, plugins=tuple(path.resolve() for path in config.plugins)
            ).to_message(),
            "requirements": requirements.to_message(),
            "workers": file.workers,
            "maps": str(maps),
        }
        with SlurmPool(_executor(file, folder), file, folder, shared) as pool:
            yield pool
    finally:
        logger.setLevel(level)
        shutil.rmtree(folder, ignore_errors=True)


def _executor(file: SlurmFile, folder: Path) -> Any:
    """submitit's executor; its jobs import nothing from the working folder."""
    executor: Any
    if file.cluster == "local":
        executor = submitit.LocalExecutor(folder, python=f"{sys.executable} -P")
        executor.update_parameters(timeout_min=file.minutes)
        return executor
    try:
        executor = submitit.SlurmExecutor(folder)
    except RuntimeError as error:
        raise HarnessError(
            "slurm: there is no srun here; start the run on a machine that may submit jobs, or try "
            'it here with cluster = "local"'
        ) from error
    parameters = {
        "job_name": "harness",
        **file.parameters,
        "setup": ["export PYTHONSAFEPATH=1", *file.parameters.get("setup", ())],
        # Since Slurm 22.05, srun does not take it from sbatch.
        "srun_args": [
            f"--cpus-per-task={file.workers}",
            *file.parameters.get("srun_args", ()),
        ],
    }
    try:
        executor.update_parameters(**parameters)
    except Exception as error:
        raise HarnessError(f"slurm: {reason_of(error)}") from error
    return executor
