"""Feeds a pool with the cells that have no record, and writes their records.

Cells are read from the store page by page, so that memory does not grow with their number, and
submitted as soon as their maps exist: clustering starts while maps are still extracted.
"""

import contextlib
import sqlite3
from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Self

from harness.engine.estimate import RemainingTime
from harness.engine.pool import CellJob, Pool
from harness.errors import RunStoppedError
from harness.planning.progress import Progress
from harness.planning.settings import Settings, TimeLimits
from harness.planning.survey import MapRecord
from harness.store import FILE_NAME, Store
from harness.store.records import CellRecord
from harness.store.tables import CellKind

# Seconds without an ended cell after which the pool is asked for its room again.
PATIENCE = 5.0
# Cells read from the store at a time.
PAGE = 500
# Warnings about failed cells; the tables have all failures.
WARNINGS = 10
# What a job needs of a planned cell.
NEEDED = ("image", "layer", "head", "graph", "clusterer", "seed", "point")


@dataclass
class Clustering:
    """Computes the missing cells of one phase. Use as a context manager.

    When an exception ends it, it still records the cells that have ended.
    """

    store: Store
    pool: Pool
    settings: Settings
    limits: TimeLimits
    progress: Progress
    phase: str
    missing: Mapping[CellKind, int]
    _done: int = 0
    _failures: int = 0
    _after: int = -1
    _page: deque[tuple[sqlite3.Row, MapRecord | None]] = field(default_factory=deque)
    _under_way: dict[Future[CellRecord], sqlite3.Row] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._remaining = RemainingTime(self.missing)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is not None:
            # The reason of the exception may be that nothing can be written.
            with contextlib.suppress(Exception):
                self._collect(0)

    def take_maps(self, maps: Iterable[MapRecord]) -> None:
        """Record maps, submit the cells that waited for them, and record the cells that ended."""
        self.store.write_maps(maps)
        self._feed()
        self._collect(0)

    def finish(self) -> None:
        """Compute and record all cells; every map has its record by now."""
        self._remaining.restart()
        self.progress.begin(self.phase, sum(self.missing.values()), self._remaining.seconds)
        self._feed()
        shown = 0
        while shown < self._done or self._under_way:
            # At first, cells that ended while maps were extracted.
            for _ in range(shown, self._done):
                self.progress.advance()
            shown = self._done
            self._collect(PATIENCE)
            self._feed()

    def _feed(self) -> None:
        room = self.pool.room()
        skipped = []
        while len(self._under_way) < room and (missing := self._next()) is not None:
            cell, found = missing
            if found is None:
                break
            self._after = cell["position"]
            self._page.popleft()
            if found.reason:
                self._remaining.add(_kind(cell), None)
                skipped.append(CellRecord(cell["cell"], "skipped", found.reason))
            else:
                self._under_way[self.pool.submit(self._job(cell, found))] = cell
        if skipped:
            self.store.write_cells(skipped)
            self._done += len(skipped)

    def _next(self) -> tuple[sqlite3.Row, MapRecord | None] | None:
        if not self._page or self._page[0][1] is None:
            # Maps may have come since the page was read.
            self._page = deque(self.store.missing(self._after, PAGE))
        return self._page[0] if self._page else None

    def _job(self, cell: sqlite3.Row, found: MapRecord) -> CellJob:
        settings = self.settings
        header = {
            **{name: cell[name] for name in NEEDED},
            "variant": [cell["role"], cell["control"], cell["draw"]],
            "map": found.to_message(),
            "n_levels": settings.levels,
            "resolution": settings.resolution,
            "rescore": settings.rescore,
            "n_draws": settings.stability_draws,
            "run_seed": settings.seed,
        }
        limit = self.limits.of(cell["clusterer"])
        return CellJob(cell["cell"], found.digest, limit, header)

    def _collect(self, patience: float) -> None:
        """Record the cells that have ended; waits so many seconds for one."""
        done, _ = wait(self._under_way, patience, FIRST_COMPLETED)
        ended = [each for each in self._under_way if each in done and not each.exception()]
        if ended:
            # One transaction for all of them: each transaction waits for the disk.
            self.store.write_cells(future.result() for future in ended)
            if not (self.store.folder / FILE_NAME).exists():
                raise RunStoppedError(f"{self.store.folder}: was removed during the run")
        for future in ended:
            cell, record = self._under_way.pop(future), future.result()
            self._remaining.add(_kind(cell), record.seconds)
            if record.status != "ok":
                self._failures += 1
                self._warn(cell, record)
        self._done += len(ended)
        for future in done:
            # Raises what stopped the pool.
            future.result()

    def _warn(self, cell: sqlite3.Row, record: CellRecord) -> None:
        if self._failures <= WARNINGS:
            where = f"{cell['clusterer']} on {cell['image']}"
            self.progress.warn(f"{where}: {record.status}: {record.reason}")
        elif self._failures == WARNINGS + 1:
            self.progress.warn("more cells failed; `harness export` lists each with its reason")


def _kind(cell: sqlite3.Row) -> CellKind:
    return CellKind(*(cell[name] for name in CellKind._fields))
