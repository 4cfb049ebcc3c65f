"""Feeds a pool with the cells that have no record, and records what becomes of them.

Cells are read from the store page by page, so that memory does not grow with their number, and
handed out as soon as their maps are there: clustering goes on while maps are still extracted.
"""

import contextlib
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from harness.engine.pool import CellJob, Pool
from harness.errors import RunStoppedError
from harness.planning.progress import Progress
from harness.planning.settings import Settings, TimeLimits
from harness.store import FILE_NAME, Store
from harness.store.records import CellRecord, MapRecord, MissingCell

# Cells read from the store at a time.
PAGE = 500
# Failures beyond these are in the tables only.
WARNINGS = 10


@dataclass
class Clustering:
    """The cells of one execution, from missing to recorded. Use as a context manager.

    Left by an exception, it still records what has ended.
    """

    store: Store
    pool: Pool
    settings: Settings
    limits: TimeLimits
    progress: Progress
    phase: str
    total: int
    _done: int = 0
    _is_shown: bool = False
    _after: int = -1
    _page: deque[MissingCell] = field(default_factory=deque)
    _under_way: dict[str, MissingCell] = field(default_factory=dict)
    _failures: int = 0
    _unwritten: list[CellRecord] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            # What ends the run may be that nothing can be written.
            with contextlib.suppress(Exception):
                self._record(self.pool.ended(wait=False))

    def take_maps(self, maps: Iterable[MapRecord]) -> None:
        """Record maps, hand out the cells that waited for them, and record what has ended."""
        self.store.write_maps(maps)
        self._feed()
        self._record(self.pool.ended(wait=False))

    def finish(self) -> None:
        """Bring every cell to a record; all maps have theirs."""
        self.progress.begin(self.phase, self.total)
        self._is_shown = True
        # What was done while maps were extracted.
        self._count(self._done)
        self._feed()
        while self._under_way:
            self._record(self.pool.ended(wait=True))
            self._feed()

    def _feed(self) -> None:
        room = self.pool.room()
        skipped = []
        while len(self._under_way) < room and (cell := self._next()) is not None:
            if cell.map is None:
                break
            self._after = cell.position
            self._page.popleft()
            if cell.map.reason:
                skipped.append(CellRecord(cell.key, "skipped", cell.map.reason))
            else:
                self._under_way[cell.key] = cell
                self.pool.submit(self._job(cell, cell.map))
        if skipped:
            self.store.write_cells(skipped)
            self._count(len(skipped))
            self._done += len(skipped)

    def _next(self) -> MissingCell | None:
        if not self._page or self._page[0].map is None:
            # Maps may have come since the page was read.
            self._page = deque(self.store.missing(self._after, PAGE))
        return self._page[0] if self._page else None

    def _job(self, cell: MissingCell, kept: MapRecord) -> CellJob:
        settings = self.settings
        return CellJob(
            cell.key,
            "cell" if cell.point is None else "perturbed cell",
            kept.digest,
            self.limits.of(cell.clusterer),
            {
                "map": kept.to_message(),
                "image": cell.image,
                "layer": cell.head_index.layer,
                "head": cell.head_index.head,
                "role": cell.variant.role,
                "control": cell.variant.name,
                "draw": cell.variant.draw,
                "graph": cell.graph,
                "clusterer": cell.clusterer,
                "levels": settings.levels,
                "seed": cell.seed,
                "resolution": settings.resolution,
                "rescore": settings.rescore,
                "run seed": settings.seed,
                "point": cell.point,
                "draws": settings.stability_draws,
            },
        )

    def _record(self, records: list[CellRecord]) -> None:
        self._unwritten += records
        if not self._unwritten:
            return
        # One transaction for all that ended meanwhile: each waits for the disk.
        self.store.write_cells(self._unwritten)
        records, self._unwritten = self._unwritten, []
        if not (self.store.folder / FILE_NAME).exists():
            raise RunStoppedError(f"{self.store.folder}: was removed while the run went on")
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

    def _warn(self, cell: MissingCell, record: CellRecord) -> None:
        if self._failures <= WARNINGS:
            where = f"{cell.clusterer} on {cell.image}"
            self.progress.warn(f"{where}: {record.status}: {record.reason}")
        elif self._failures == WARNINGS + 1:
            self.progress.warn("more cells fail; `harness export` has each with its reason")
