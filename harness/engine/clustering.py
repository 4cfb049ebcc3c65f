"""Feeds a pool with the cells that have no record, and writes their records.

Cells are read from the store page by page, so that memory does not grow with their number, and
submitted as soon as their maps exist: clustering starts while maps are still extracted. A cell of a
control waits for the cell of the map that the control is compared with, and is skipped if that
failed: the map counts as failed then, whatever its controls give.
"""

import contextlib
import sqlite3
import time
from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Self, cast

from harness.engine.estimate import RemainingTime
from harness.engine.failures import Failures
from harness.engine.pool import CellJob, Pool
from harness.errors import RunStoppedError
from harness.planning.progress import Progress
from harness.planning.settings import Settings, TimeLimits
from harness.planning.survey import MapRecord
from harness.store import FILE_NAME, Store
from harness.store.missing import METHOD_COLUMNS, CellKind, missing_cells, sound_methods
from harness.store.records import CellRecord

# Seconds without an ended cell after which the pool is asked for its room again.
PATIENCE = 5.0
# Seconds between two waits for the disk: what is computed meanwhile a crash may lose.
SAVE_INTERVAL = 0.25
# Cells read from the store at a time.
PAGE = 500
# What a job needs of a planned cell.
NEEDED = ("image", "layer", "head", "graph", "clusterer", "seed", "point")
# A missing cell, and the record of its map.
Missing = tuple[sqlite3.Row, MapRecord]


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
    failures: Failures
    phase: str
    missing: Mapping[CellKind, int]
    _done: int = 0
    _saved: float = 0.0
    _is_unsaved: bool = False
    _after: int = -1
    _page: deque[tuple[sqlite3.Row, MapRecord | None]] = field(default_factory=deque)
    _under_way: dict[Future[CellRecord], sqlite3.Row] = field(default_factory=dict)
    # Cells that wait for a cell under way, or for the first of their method, and those that waited.
    _waiting: dict[Hashable, list[Missing]] = field(default_factory=dict)
    _ready: deque[Missing] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._remaining = RemainingTime(self.missing)

    def __enter__(self) -> Self:
        self.failures.sound(sound_methods(self.store))
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is not None:
            # The reason of the exception may be that nothing can be written.
            with contextlib.suppress(Exception):
                self._collect(0)
            with contextlib.suppress(Exception):
                self._save()

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
        self._save()

    def _feed(self) -> None:
        room = self.pool.room()
        skipped: list[CellRecord] = []
        while len(self._under_way) < room and (missing := self._next()) is not None:
            cell, found = missing
            if (awaited := self._awaited(cell)) is not None:
                self._waiting.setdefault(awaited, []).append(missing)
            elif reason := found.reason or self._why_skipped(cell):
                self._remaining.add(_kind(cell), None)
                skipped.append(CellRecord(cell["cell"], "skipped", reason))
                if len(skipped) == PAGE:
                    break
            else:
                self._under_way[self.pool.submit(self._job(cell, found))] = cell
        if skipped:
            self._record(skipped)

    def _next(self) -> Missing | None:
        """Take the next cell whose map has a record; None if too many cells wait, or none is left.

        Cells without a map yet are waited for: those behind them lack their maps too.
        """
        if self._ready:
            return self._ready.popleft()
        if sum(map(len, self._waiting.values())) >= PAGE:
            return None
        if not self._page or self._page[0][1] is None:
            # Maps may have come since the page was read.
            self._page = deque(missing_cells(self.store, self._after, PAGE))
        if not self._page:
            return None
        cell, found = self._page[0]
        if found is None:
            return None
        self._page.popleft()
        self._after = cell["position"]
        return cell, found

    def _awaited(self, cell: sqlite3.Row) -> Hashable | None:
        """What must end before it is known whether a cell is computed; None if it is known."""
        if cell["base"] is not None and self.store.outcome(cell["base"]) is None:
            return cast("str", cell["base"])
        # So that as many cells of a method that is stopped are computed, whatever the pool.
        method = _method(cell)
        trying = sum(_method(each) == method for each in self._under_way.values())
        return method if self.failures.may_stop(method, trying) else None

    def _why_skipped(self, cell: sqlite3.Row) -> str:
        """Why a cell is not computed, "" if it is."""
        if cell["base"] is not None:
            status, reason = self.store.outcome(cell["base"]) or ("ok", "")
            if status != "ok":
                return f"the cell of the map itself is {status}: {reason}"
        return self.failures.stopped(_method(cell))

    def _record(self, records: Sequence[CellRecord]) -> None:
        """Write records, saved now or soon, and release who waited for them."""
        self.store.add_cells(records)
        self._is_unsaved = True
        if self._until_save() <= 0:
            self._save()
        self._done += len(records)
        for record in records:
            self._ready += self._waiting.pop(record.key, ())

    def _until_save(self) -> float:
        """Seconds until records are saved."""
        # A pool without room for a second cell computes in this thread, which cannot save then.
        interval = SAVE_INTERVAL if self.pool.room() > 1 else 0.0
        return self._saved + interval - time.monotonic()

    def _save(self) -> None:
        if self._is_unsaved:
            self.store.save()
            if not (self.store.folder / FILE_NAME).exists():
                raise RunStoppedError(f"{self.store.folder}: was removed during the run")
        self._is_unsaved = False
        self._saved = time.monotonic()

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
        if self._is_unsaved:
            patience = min(patience, max(self._until_save(), 0.0))
        done, _ = wait(self._under_way, patience, FIRST_COMPLETED)
        ended = [each for each in self._under_way if each in done and not each.exception()]
        if ended:
            self._record([future.result() for future in ended])
        elif self._is_unsaved and self._until_save() <= 0:
            self._save()
        for future in ended:
            cell, record = self._under_way.pop(future), future.result()
            self._remaining.add(_kind(cell), record.seconds)
            self._judge(cell, record)
        self.failures.show(PATIENCE)
        for future in done:
            # Raises what stopped the pool.
            future.result()

    def _judge(self, cell: sqlite3.Row, record: CellRecord) -> None:
        """Warn of a failed cell, and count it against its method."""
        failure = "" if record.status == "ok" else f"{record.status}: {record.reason}"
        what = f"{cell['clusterer']} on "
        if failure:
            self.failures.warn(cell["image"], failure, what, record.detail)
        on = f" on {cell['control']}" if cell["control"] else ""
        source = cell["image_set"] or cell["extractor"]
        label = f"{cell['clusterer']}{on} ({cell['graph']}, {source})"
        method = _method(cell)
        self.failures.record(method, label, failure, what)
        self._ready += self._waiting.pop(method, ())


def _method(cell: sqlite3.Row) -> tuple[str, ...]:
    """What a cell's failure is counted against: its method, on the same kind of maps."""
    return tuple(cell[name] for name in METHOD_COLUMNS)


def _kind(cell: sqlite3.Row) -> CellKind:
    return CellKind(*(cell[name] for name in CellKind._fields))
