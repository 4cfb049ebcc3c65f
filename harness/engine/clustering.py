"""Feeds a pool with the cells that have no record, and writes their records.

Cells are read from the store page by page, so that memory does not grow with their number, and
submitted as soon as their maps exist: clustering starts while maps are still extracted.
"""

import contextlib
import sqlite3
from collections import deque
from collections.abc import Iterable
from typing import Self

from harness.engine.pool import CellJob, Pool
from harness.errors import RunStoppedError
from harness.planning.progress import Progress
from harness.planning.settings import Settings, TimeLimits
from harness.planning.survey import MapRecord
from harness.store import FILE_NAME, Store
from harness.store.records import CellRecord

# Cells read from the store at a time.
PAGE = 500
# Warnings about failed cells; the tables have all failures.
WARNINGS = 10
# What a job needs of a planned cell.
NEEDED = (
    "image", "layer", "head", "role", "control", "draw", "graph", "clusterer", "seed", "point"
)  # fmt: skip


class Clustering:
    """Computes the missing cells of one phase. Use as a context manager.

    When an exception ends it, it still records the cells that have ended.
    """

    def __init__(
        self,
        store: Store,
        pool: Pool,
        settings: Settings,
        limits: TimeLimits,
        progress: Progress,
        phase: str,
        total: int,
    ) -> None:
        self.store = store
        self.pool = pool
        self.settings = settings
        self.limits = limits
        self.progress = progress
        self.phase = phase
        self.total = total
        self._done = self._failures = 0
        self._is_shown = False
        self._after = -1
        self._page: deque[tuple[sqlite3.Row, MapRecord | None]] = deque()
        self._under_way: dict[str, sqlite3.Row] = {}
        self._unwritten: list[CellRecord] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is not None:
            # The reason of the exception may be that nothing can be written.
            with contextlib.suppress(Exception):
                self._record(self.pool.ended(wait=False))

    def take_maps(self, maps: Iterable[MapRecord]) -> None:
        """Record maps, submit the cells that waited for them, and record the cells that ended."""
        self.store.write_maps(maps)
        self._feed()
        self._record(self.pool.ended(wait=False))

    def finish(self) -> None:
        """Compute and record all cells; every map has its record by now."""
        self.progress.begin(self.phase, self.total)
        self._is_shown = True
        # Cells that ended while maps were extracted.
        self._count(self._done)
        self._feed()
        while self._under_way:
            self._record(self.pool.ended(wait=True))
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
                skipped.append(CellRecord(cell["cell"], "skipped", found.reason))
            else:
                self._under_way[cell["cell"]] = cell
                self.pool.submit(self._job(cell, found))
        if skipped:
            self.store.write_cells(skipped)
            self._count(len(skipped))
            self._done += len(skipped)

    def _next(self) -> tuple[sqlite3.Row, MapRecord | None] | None:
        if not self._page or self._page[0][1] is None:
            # Maps may have come since the page was read.
            self._page = deque(self.store.missing(self._after, PAGE))
        return self._page[0] if self._page else None

    def _job(self, cell: sqlite3.Row, found: MapRecord) -> CellJob:
        settings = self.settings
        return CellJob(
            cell["cell"],
            "cell" if cell["point"] is None else "perturbed cell",
            found.digest,
            self.limits.of(cell["clusterer"]),
            {
                **{name: cell[name] for name in NEEDED},
                "map": found.to_message(),
                "levels": settings.levels,
                "resolution": settings.resolution,
                "rescore": settings.rescore,
                "run seed": settings.seed,
                "draws": settings.stability_draws,
            },
        )

    def _record(self, records: list[CellRecord]) -> None:
        self._unwritten += records
        if not self._unwritten:
            return
        # One transaction for all of them: each transaction waits for the disk.
        self.store.write_cells(self._unwritten)
        records, self._unwritten = self._unwritten, []
        if not (self.store.folder / FILE_NAME).exists():
            raise RunStoppedError(f"{self.store.folder}: was removed during the run")
        for record in records:
            cell = self._under_way.pop(record.key)
            if record.status != "ok":
                self._failures += 1
                self._warn(cell, record)
        self._count(len(records))
        self._done += len(records)

    def _count(self, cells: int) -> None:
        if self._is_shown:
            for _ in range(cells):
                self.progress.advance()

    def _warn(self, cell: sqlite3.Row, record: CellRecord) -> None:
        if self._failures <= WARNINGS:
            where = f"{cell['clusterer']} on {cell['image']}"
            self.progress.warn(f"{where}: {record.status}: {record.reason}")
        elif self._failures == WARNINGS + 1:
            self.progress.warn("more cells failed; `harness export` lists each with its reason")
