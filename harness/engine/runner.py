"""Executes a run: surveys the inputs, plans, computes what is missing, and selects."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import ExitStack, closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness.engine import environment
from harness.engine.clustering import Clustering
from harness.engine.estimate import CostEstimate, cost_of, levels_of
from harness.engine.extraction import Extraction
from harness.engine.failures import Failures
from harness.engine.inline_worker import NOTE, InlineWorker, open_worker
from harness.engine.pool import LocalPool, Pool
from harness.engine.pools import check_pool, open_pool
from harness.engine.selecting import needs_pool, select_all
from harness.engine.siblings import Siblings, siblings_of
from harness.engine.stability import stabilities
from harness.engine.survey import Surveyor
from harness.engine.worker import Worker, WorkerConfig
from harness.errors import HarnessError, setting_name
from harness.planning.objects import is_of_arrays, sent
from harness.planning.plan import (
    Plan,
    PlannedCell,
    PlannedMap,
    expected_code,
    make_plan,
    split_extractors,
)
from harness.planning.progress import Progress
from harness.planning.settings import COMPONENTS, Execution, Settings
from harness.planning.suites import components_named
from harness.planning.survey import MapRecord, Survey
from harness.plugin.draws import MapControl
from harness.plugin.recorded import recorded
from harness.plugin.registry import Registry
from harness.plugin.values import OBSERVED
from harness.store import FILE_NAME, Store, open_for_reading, open_for_writing
from harness.store.classes import classes_in
from harness.store.folders import check_folder, check_settings
from harness.store.maps import is_intact, lost_map
from harness.store.missing import count_missing, maps_needed
from harness.store.schema import MAPS_FOLDER
from harness.store.scratch import written_in
from harness.store.selections import (
    accepted,
    clear_selections,
    replace_selections,
    replace_stabilities,
)
from harness.store.siblings import is_offered

# What messages call the cells of the two phases.
CELLS, PERTURBED = "cells", "perturbed cells"


@dataclass(frozen=True)
class PreparedRun:
    """A fully resolved run: what to compute, how, with which components, and in which folder.

    remarks: on what was chosen for the user.
    """

    settings: Settings
    execution: Execution
    registry: Registry
    folder: Path
    remarks: Sequence[str] = ()

    def estimate_cost(self, progress: Progress) -> CostEstimate:
        """Survey the inputs and count the cells of `execute`; nothing is computed or stored."""
        self._check()
        forced = components_named(self.settings, self.execution.force)
        retry_failed = self.execution.retry_failed
        with (
            TemporaryDirectory() as scratch,
            self._worker(progress) as (config, worker),
            self._store_if_any() as store,
            closing(sqlite3.connect("", uri=True)) as nowhere,
        ):
            plan, _ = self._plan(config, worker, Path(scratch), progress)
            connection = nowhere if store is None else store.connection

            def is_forced(cell: PlannedCell) -> bool:
                return not forced.isdisjoint(cell.components)

            def is_computed(cell: PlannedCell) -> bool:
                return store is not None and store.is_computed(cell.key, ok=retry_failed)

            wanted = (
                (cell.key, cell.map.key, cell.map.observed)
                for cell in plan.distinct_cells()
                if not is_computed(cell) and not is_forced(cell)
            )
            with self.siblings(config).offering(connection, wanted) as found:
                cost = cost_of(
                    plan,
                    store,
                    lambda cell: (
                        is_forced(cell)
                        or not (is_computed(cell) or is_offered(connection, cell.key))
                    ),
                    self.width,
                    taken_over=dict(found.cells),
                    times=found.times,
                )
        self.say(progress, found.taken("would take over", cost.cells), *found.passed_over())
        return cost

    def say(self, progress: Progress, *lines: str) -> None:
        """Show lines about the run, those that are not empty."""
        for line in filter(None, lines):
            progress.note(f"{self.folder}: {line}")

    @contextmanager
    def _store_if_any(self) -> Iterator[Store | None]:
        exists = (self.folder / FILE_NAME).is_file()
        with open_for_reading(self.folder) if exists else nullcontext() as store:
            yield store

    def execute(self, progress: Progress) -> None:
        """Compute everything that the settings ask for and the folder's store does not hold.

        Raises HarnessError if the folder or a whole input cannot be used, if `force` names no
        component of the run, and if other versions computed what is stored, unless
        `any_environment`, or if it has other settings, unless `overwrite`.
        """
        self._check()
        forced = components_named(self.settings, self.execution.force)
        is_new = not (self.folder / FILE_NAME).exists()
        with (
            written_in(self.folder, self.execution.scratch, progress) as live,
            self._worker(progress) as (config, worker),
            ExitStack() as stack,
        ):
            maps = live / MAPS_FOLDER
            # One pool for both phases: workers that have imported their libraries are quicker.
            pool = cache(
                lambda: stack.enter_context(
                    open_pool(self.execution, config, self.packages, worker, maps, progress)
                )
            )
            if is_new and not self.execution.is_remote:
                # There will be cells; its workers start during the survey.
                pool()
            environments = self._environments()
            plan, survey = self._plan(config, worker, maps, progress)
            with open_for_writing(live) as store:
                # Again, as nobody else may write now.
                check_settings(store, asdict(self.settings), overwrite=self.execution.overwrite)
                session = self._session(store, survey, config, *environments)
                then = store.settings() if store.is_planned() else None
                store.write_plan(asdict(self.settings), session, survey.images, plan.cells())
                if self.execution.retry_failed:
                    store.delete_failures()
                store.delete_components(forced)
                store.write_maps(_surveyed_maps(plan, survey))
                if then != store.settings() or count_missing(store):
                    self._drop_selections(store, progress)
                ongoing = _Session(self, plan, pool, config, worker, store, progress, forced)
                ongoing.take_over(CELLS)
                cost = cost_of(
                    plan, store, lambda cell: not store.is_computed(cell.key), self.width
                )
                if cost.new or cost.perturbed:
                    progress.announce(f"{self.folder}: {cost}")
                    for line in cost.reaches():
                        progress.note(line)
                ongoing.complete()

    def _check(self) -> None:
        """Refuse what is known to be wrong before anything is surveyed."""
        check_pool(self.execution)
        check_folder(self.folder, asdict(self.settings), overwrite=self.execution.overwrite)
        siblings_of(self.folder, self.execution.cache)

    @property
    def width(self) -> int:
        """How many cells are computed at a time."""
        return self.execution.workers if self.execution.isolation == "process" else 1

    @cached_property
    def packages(self) -> Set[str]:
        """The installed packages that this run uses."""
        made = (
            component
            for key, kind in COMPONENTS.items()
            for spec in getattr(self.settings, key)
            for component in self.registry.make(kind, spec)
        )
        return environment.packages_used(map(type, made))

    def siblings(self, config: WorkerConfig) -> Siblings:
        """The runs from which this one may take over cells."""
        return Siblings(self.folder, self.settings, self.execution, self.registry, config.source)

    def _environments(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The environment, and as much of it as this run uses."""
        threads = self.execution.extraction_threads
        every, used = (environment.environment(threads, only) for only in (None, self.packages))
        return every, used

    def _session(
        self,
        store: Store,
        survey: Survey,
        config: WorkerConfig,
        every: Mapping[str, Any],
        used: Mapping[str, Any],
    ) -> dict[str, Any]:
        """What is stored of this execution; refuses if an earlier one had another environment."""
        execution = self.execution
        for session in [] if execution.any_environment else store.sessions():
            # What the run did not use then changed nothing.
            then = environment.common(session["environment"], used)
            if changed := environment.difference(then, environment.common(used, then)):
                raise HarnessError(
                    f"{self.folder}: computed in another environment ({changed}); restore it, "
                    f"choose another {setting_name('out')}, or mix them with "
                    f"{setting_name('any_environment')}"
                )
        return {
            "environment": {**every, "libraries": {**every["libraries"], **used["libraries"]}},
            "finished": False,
            "isolation": execution.isolation,
            "plugins": recorded(execution.plugins),
            "objects": {
                kind: sorted({each.name for each in objects.values()})
                for kind, objects in self.registry.objects.items()
            },
            "source": {**environment.source(), "digest": config.source},
            # Other machines may then have other versions than these.
            "mixed": execution.is_remote and execution.any_environment,
            "invocation": environment.invocation(),
            "fingerprints": {each.spec: each.fingerprint for each in survey.extractors},
            "caveats": self._caveats(),
            "classes": classes_in(survey.images),
        }

    def _caveats(self) -> dict[str, str]:
        """Why small p values may not be evidence, by map control."""
        return {
            spec: caveat
            for spec in self.settings.controls
            for control in self.registry.make("control", spec)
            if isinstance(control, MapControl) and (caveat := control.caveat())
        }

    def _drop_selections(self, store: Store, progress: Progress) -> None:
        """Delete all selections, which other cells would change; the run's own are derived anew."""
        known = store.known_selectors()
        others = [selector for selector in known if selector not in store.selectors]
        if others:
            progress.note(
                f"{self.folder}: what {', '.join(others)} selected is deleted, as the run "
                "changes; harness select applies them again"
            )
        with store.connection:
            clear_selections(store, known)

    @contextmanager
    def _worker(self, progress: Progress) -> Iterator[tuple[WorkerConfig, Worker]]:
        """A worker for all but cells, which gets ready, and the config of all workers."""
        execution, registry = self.execution, self.registry
        for remark in self.remarks:
            progress.note(remark)
        if execution.isolation == "none":
            progress.note(NOTE)
        objects = sent(registry) if execution.isolation == "process" else ()
        config = WorkerConfig.of(execution, expected_code(self.settings, registry), objects)
        with open_worker(config, execution.isolation, registry) as worker:
            worker.launch()
            yield config, worker

    def _plan(
        self, config: WorkerConfig, worker: Worker, maps: Path, progress: Progress
    ) -> tuple[Plan, Survey]:
        """Survey the inputs and plan; weights of stored maps are saved in the folder `maps`."""
        limit = self.execution.timeout.seconds
        extractors = split_extractors(self.settings, self.registry)
        # Arrays are not sent to another process only to be written to files.
        here = InlineWorker(config, self.registry)
        of_arrays = {spec: here for spec in extractors[1] if is_of_arrays(self.registry, spec)}
        surveyor = Surveyor(worker, maps, limit, progress, of_arrays)
        survey = surveyor.survey(self.settings.images, *extractors)
        surveyor.warn_of_clusterers(self.settings.clusterers)
        return make_plan(self.settings, survey, self.registry, config.codes), survey


def _without_control(settings: Settings, plan: Plan) -> list[str]:
    """Extractors whose maps have no control although the settings name controls."""
    controlled = {planned.extractor for planned in plan.maps if planned.variant.role == "control"}
    found = {planned.extractor for planned in plan.maps if not planned.reason}
    return sorted(found - controlled) if settings.controls else []


def _surveyed_maps(plan: Plan, survey: Survey) -> list[MapRecord]:
    """Records of the maps that the survey settled: stored maps, and maps that are missing."""
    observed = [each for each in plan.maps if not each.image_set and each.variant == OBSERVED]
    stored = [
        replace(found.record, key=planned.key)
        for planned, found in zip(observed, survey.maps, strict=True)
        if not found.record.reason
    ]
    return stored + [MapRecord(each.key, reason=each.reason) for each in plan.maps if each.reason]


@dataclass(frozen=True)
class _Session:
    """One execution of a plan."""

    run: PreparedRun
    plan: Plan
    pool: Callable[[], Pool]
    config: WorkerConfig
    worker: Worker
    store: Store
    progress: Progress
    forced: Set[str]

    def complete(self) -> None:
        """Compute every planned cell, and select."""
        settings = self.run.settings
        for text in _without_control(settings, self.plan):
            controls = ", ".join(settings.controls)
            self.progress.warn(f"{text}: no control is drawn from its maps by {controls}")
        computed = self._cluster("clustering")
        self._select()
        self._plan_perturbed()
        self.take_over(PERTURBED)
        computed |= self._cluster("clustering perturbed maps")
        replace_stabilities(self.store, stabilities(self.store, self.progress))
        self.store.change_session({"finished": True, "computed": computed})

    def take_over(self, what: str) -> None:
        """Take over what is planned by now and siblings have, and say so."""
        found = self.run.siblings(self.config).take_over(self.store, self.forced, self.progress)
        which = "IS NULL" if what == CELLS else "IS NOT NULL"
        planned = self.store.count(f"SELECT count(DISTINCT cell) FROM planned WHERE point {which}")
        # The first phase has said which runs were passed over.
        others = found.passed_over() if what == CELLS else ()
        self.run.say(self.progress, found.taken("took over", planned, what), *others)

    def _plan_perturbed(self) -> None:
        cells = partial(self.plan.perturbed_cells, levels_of(accepted(self.store)))
        forced = (cell.key for cell in cells() if not self.forced.isdisjoint(cell.components))
        self.store.delete_cells(forced)
        self.store.extend_plan(cells())

    def _cluster(self, phase: str) -> bool:
        """Compute every cell that is planned by now, and maps; whether there was any."""
        run, missing = self.run, count_missing(self.store)
        maps = self._missing_maps()
        if missing or maps:
            progress, limits, store = self.progress, run.execution.timeout, self.store
            with (
                Failures(progress, run.execution.keep_going) as failures,
                Clustering(
                    store, self.pool(), run.settings, limits, progress, failures, phase, missing
                ) as cells,
            ):
                Extraction(
                    self.worker, store, limits.seconds, progress, failures, cells.take_maps
                ).get(maps)
                cells.finish()
        return bool(missing or maps)

    def _select(self) -> None:
        selectors, how = self.run.settings.selectors, self.run.execution
        pool = self.pool() if needs_pool(self.store, selectors, how) else None
        several = pool if isinstance(pool, LocalPool) else None
        records = select_all(self.store, self.worker, selectors, how, self.progress, several)
        replace_selections(self.store, records, selectors)

    def _missing_maps(self) -> list[PlannedMap]:
        """The maps that missing cells need and that are not stored, each once.

        Raises RunStoppedError for one of a map set, which only a survey saves.
        """
        if not (needed := maps_needed(self.store)):
            return []
        stored, folder = self.store.maps(), self.store.maps_folder

        def is_stored(key: str) -> bool:
            found = stored.get(key)
            return bool(found and (found.reason or is_intact(folder, found.digest)))

        # Images of equal pixels share their maps.
        distinct = {each.key: each for each in self.plan.maps if each.key in needed}
        missing = [planned for key, planned in distinct.items() if not is_stored(key)]
        for planned in missing:
            if not planned.image_set and planned.variant == OBSERVED:
                raise lost_map(folder, planned.source)
        return missing
