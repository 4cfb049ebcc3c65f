"""Takes over from siblings what a run lacks, and says from which.

Keys hold the code of components, but neither the core's own source nor versions of packages: a
sibling gives nothing unless these are equal for every execution that computed it.
"""

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from harness.engine import environment
from harness.engine.estimate import KindTimes
from harness.errors import HarnessError, setting_name
from harness.planning.progress import Progress
from harness.planning.settings import COMPONENTS, Execution, Settings
from harness.planning.suites import NONE
from harness.plugin.registry import Registry
from harness.store import Store
from harness.store.folders import sibling_folders
from harness.store.sessions import ran_inline
from harness.store.siblings import (
    Sibling,
    SiblingError,
    attached,
    cells_without_record,
    forget_offers,
    missing,
)

_Components = frozenset[tuple[str, str]]
_EnvironmentOf = Callable[[_Components], Mapping[str, Any]]
# Runs that a line names.
NAMED = 3
# What is recorded of the executions that computed what was taken over.
RECORDED = ("environment", "source", "invocation", "isolation")


@dataclass
class Found:
    """What siblings have of what a plan lacks.

    cells, maps: how many were taken, or can be, by run. refused: the runs that other code or
    versions computed, with the difference. unusable: those that cannot be read, with the reason.
    times: of cells that can be taken.
    """

    cells: Counter[str] = field(default_factory=Counter)
    maps: Counter[str] = field(default_factory=Counter)
    refused: dict[str, str] = field(default_factory=dict)
    unusable: dict[str, str] = field(default_factory=dict)
    times: KindTimes = field(default_factory=KindTimes)

    def taken(self, verb: str, planned: int, what: str = "cells") -> str:
        """Say what was taken of so many planned cells, "" if nothing was.

        verb: "took over", or what else is done with them.
        """
        if not (runs := list(self.cells | self.maps)):
            return ""
        cells, maps = self.cells.total(), self.maps.total()
        counts = [f"{cells} of {planned} {what}"] if cells else []
        counts += [f"{maps} map{'s' * (maps > 1)}"] if maps else []
        return f"{verb} {' and '.join(counts)} from {_listed(runs)}"

    def passed_over(self) -> Iterator[str]:
        """Say from which runs nothing was taken, although they were named or have the cells."""
        if self.refused:
            reason, *others = dict.fromkeys(self.refused.values())
            more = ", among others" if others else ""
            count = f"{len(self.refused)} run{'s' * (len(self.refused) > 1)}"
            yield (
                f"passed over {count} of other code or versions: {_listed(list(self.refused))} "
                f"({reason}{more})"
            )
        for run, reason in self.unusable.items():
            yield f"took nothing from {run}: {reason}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


@dataclass(frozen=True)
class Siblings:
    """The siblings of a run in `folder`; source: the digest of the core's own source."""

    folder: Path
    settings: Settings
    execution: Execution
    registry: Registry
    source: str

    @contextmanager
    def offering(
        self, connection: sqlite3.Connection, cells: Iterable[tuple[str, str, str]]
    ) -> Iterator[Found]:
        """Ask which siblings have some cells, given by the keys of `missing`; nothing is taken.

        Within the context, `is_offered` says which.
        """
        found = Found()

        def offer(sibling: Sibling) -> Iterable[tuple[int, int]]:
            offered = sibling.offer()
            for kind, seconds in sibling.timings() if offered else ():
                found.times.add(kind, seconds)
            return [(offered, 0)]

        with missing(connection, cells) as count:
            if count:
                self._visit(connection, found, offer)
            yield found

    def take_over(self, store: Store, forced: Iterable[str], progress: Progress) -> Found:
        """Take over planned cells without a record, and their maps; not those of `forced`."""
        found = Found()

        def take(sibling: Sibling) -> Iterable[tuple[int, int]]:
            progress.begin(f"taking over cells from {sibling.folder}", sibling.offer())
            record = _recorder(store, sibling)

            def taken() -> Iterator[tuple[int, int]]:
                for maps in sibling.take_maps(store):
                    record(0, maps)
                    yield 0, maps
                for cells in sibling.take_cells(lambda cells: record(cells, 0)):
                    yield cells, 0
                    progress.advance(cells)

            return taken()

        with missing(store.connection, cells_without_record(store, forced)) as count:
            if count:
                self._visit(store.connection, found, take)
        return found

    def _visit(
        self,
        connection: sqlite3.Connection,
        found: Found,
        use: Callable[[Sibling], Iterable[tuple[int, int]]],
    ) -> None:
        """Use every sibling that has any map of what is missing, and was computed alike.

        What `use` returns, counts of cells and maps, is read when the sibling is detached.
        """
        environment_of, folders = cache(self._environment), list[Path]()
        # A named folder that was removed during the run does not stop it.
        with suppress(HarnessError):
            folders = siblings_of(self.folder, self.execution.cache)
        for folder in folders:
            name = str(folder)
            try:
                with attached(connection, folder) as sibling:
                    if not sibling.has_maps():
                        continue
                    if reason := self._difference(sibling, environment_of):
                        if sibling.has_cells():
                            found.refused[name] = reason
                        continue
                    counts = use(sibling)
                for cells, maps in counts:
                    found.cells += Counter({name: cells})
                    found.maps += Counter({name: maps})
            except SiblingError as error:
                forget_offers(connection, folder)
                # Nobody asked for what happens to be beside the run.
                if any(folder.is_relative_to(path) for path in self.execution.cache):
                    found.unusable[name] = str(error)

    def _difference(self, sibling: Sibling, environment_of: _EnvironmentOf) -> str:
        """How executions that computed the sibling differ from this one, "" if in nothing."""
        settings, sessions = sibling.settings(), sibling.sessions()
        try:
            shared = frozenset(
                (kind, spec)
                for key, kind in COMPONENTS.items()
                for spec in {*getattr(self.settings, key)} & {*settings.get(key, ())}
            )
            differences = (self._differs(session, environment_of(shared)) for session in sessions)
            return next(filter(None, differences), "" if sessions else "nothing is known of it")
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise SiblingError(f"damaged: {error}") from error

    def _differs(self, session: Mapping[str, Any], now: Mapping[str, Any]) -> str:
        if not (session.get("computed", True) or session.get("taken_over")):
            return ""
        if session.get("mixed"):
            return "other machines may have had other versions"
        if session["source"].get("digest") != self.source:
            return "other source of the harness"
        # Stricter than resuming: what the components use now must have been there.
        then = environment.common(session["environment"], now)
        return environment.difference(then, now, ("there", "now"))

    def _environment(self, components: _Components) -> dict[str, Any]:
        """The environment, with the packages behind some components."""
        made = (one for kind, spec in components for one in self.registry.make(kind, spec))
        used = environment.packages_used(map(type, made))
        return environment.environment(self.execution.extraction_threads, used)


def siblings_of(folder: Path, cache: Sequence[Path]) -> list[Path]:
    """Return the folders of a run's siblings; HarnessError if one that is named cannot be used."""
    if Path(NONE) not in cache:
        return sibling_folders(folder, cache)
    if len(cache) > 1:
        raise HarnessError(f"{setting_name('cache')}: {NONE} stands alone, not beside others")
    return []


def _recorder(store: Store, sibling: Sibling) -> Callable[[int, int], None]:
    """What records in the latest session that so many more cells and maps came from a sibling."""
    sessions, run = sibling.sessions(), os.path.abspath(sibling.folder)
    entry = {
        "run": run,
        "sessions": [{name: each.get(name) for name in RECORDED} for each in sessions],
        "isolation": "none" if any(map(ran_inline, sessions)) else "process",
    }

    def record(cells: int, maps: int) -> None:
        known = {each["run"]: each for each in store.sessions()[-1].get("taken_over", ())}
        before = known.get(run, {"cells": 0, "maps": 0})
        counts = {"cells": before["cells"] + cells, "maps": before["maps"] + maps}
        store.change_session({"taken_over": list({**known, run: {**entry, **counts}}.values())})

    return record
