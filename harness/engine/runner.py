"""A run: survey the inputs, plan, compute what is missing, select."""

from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness.engine import environment
from harness.engine.clustering import Clustering
from harness.engine.estimate import CachedWork, CostEstimate, foresee, levels_of
from harness.engine.extraction import Extraction
from harness.engine.inline_worker import NOTE, worker_maker
from harness.engine.pool import InlinePool, LocalPool, Pool
from harness.engine.selecting import select_all
from harness.engine.stability import stabilities
from harness.engine.survey import Surveyor
from harness.engine.worker import Worker, WorkerConfig
from harness.errors import HarnessError
from harness.planning.plan import (
    Plan,
    PlannedMap,
    Survey,
    expected_code,
    make_plan,
    split_extractors,
)
from harness.planning.progress import Progress
from harness.planning.settings import Execution, Settings
from harness.planning.suites import Job, components_named
from harness.plugin.registry import Registry
from harness.store import (
    FILE_NAME,
    MAPS_FOLDER,
    Store,
    accepted,
    check_place,
    open_for_reading,
    open_for_writing,
    replace_selections,
    replace_stabilities,
)
from harness.store.maps import is_intact
from harness.store.records import MapRecord


def estimate_cost(job: Job, progress: Progress) -> CostEstimate:
    """Survey the inputs and count cells; nothing is computed and nothing kept.

    Counts and raises as `execute` with the same arguments would.
    """
    settings, execution, folder = job.settings, job.execution, job.folder
    check_place(folder)
    forced = components_named(settings, execution.force)
    with (
        TemporaryDirectory() as scratch,
        _planned(settings, execution, job.registry, Path(scratch), progress) as planned,
    ):
        plan = planned.plan
    if not (folder / FILE_NAME).is_file():
        return foresee(plan, CachedWork(), forced, _width(execution))
    with open_for_reading(folder) as store:
        return foresee(plan, _known(store, ok=execution.retry_failed), forced, _width(execution))


def execute(job: Job, progress: Progress) -> None:
    """Compute all that the settings ask for and the folder's store does not hold.

    May be stopped at any time and started again; only what is missing is computed, and, on
    demand, what failed, and what the components named in `force` had a part in. Raises
    HarnessError if the folder cannot be used, an input as a whole is not to be had, a name in
    `force` is none, or, unless `any_environment`, what is stored was computed with other versions.
    """
    settings, execution, folder = job.settings, job.execution, job.folder
    check_place(folder)
    forced = components_named(settings, execution.force)
    with _planned(settings, execution, job.registry, folder / MAPS_FOLDER, progress) as planned:
        plan, survey = planned.plan, planned.survey
        with open_for_writing(folder) as store:
            session = _session(store, survey, execution)
            store.write_plan(asdict(settings), session, survey.images, plan.cells())
            if execution.retry_failed:
                store.forget_failures()
            store.forget_components(forced)
            store.write_maps(_surveyed_maps(plan, survey))
            expected = foresee(plan, _known(store), frozenset(), _width(execution))
            if expected.new or expected.perturbed:
                progress.note(f"{folder}: {expected}")
            run = _Run(settings, execution, planned, store, progress, forced)
            run.complete()


def _width(execution: Execution) -> int:
    """How many cells are computed at a time."""
    return execution.workers if execution.isolation == "process" else 1


def _known(store: Store, *, ok: bool = False) -> CachedWork:
    """What the store tells; with `ok` of the cells that are."""
    return CachedWork(store.computed(ok=ok), store.timings(), accepted(store))


@dataclass(frozen=True)
class _Planned:
    """A plan, the survey behind it, and the worker that surveyed, with what made it."""

    plan: Plan
    survey: Survey
    config: WorkerConfig
    make_worker: Callable[[], Worker]
    worker: Worker


@contextmanager
def _planned(
    settings: Settings, execution: Execution, registry: Registry, maps: Path, progress: Progress
) -> Iterator[_Planned]:
    """Survey the inputs and plan; weights of stored maps go to the folder `maps`."""
    if execution.isolation == "none":
        if execution.dask is not None:
            raise HarnessError(
                "--isolation none: components run either in this process or on Dask; leave out "
                "--dask or --isolation none"
            )
        progress.note(NOTE)
    config = WorkerConfig.of(execution, expected_code(settings, registry))
    with (
        worker_maker(config, execution.isolation, registry) as make_worker,
        make_worker() as worker,
    ):
        surveyor = Surveyor(worker, maps, execution.timeout.seconds, progress)
        survey = surveyor.survey(settings.images, *split_extractors(settings, registry))
        plan = make_plan(settings, survey, registry, config.codes)
        yield _Planned(plan, survey, config, make_worker, worker)


def _session(store: Store, survey: Survey, execution: Execution) -> dict[str, Any]:
    """What is kept of this execution; refuses if any before had another environment."""
    found = environment.environment(execution.extraction_threads)
    for session in [] if execution.any_environment else store.sessions():
        if changed := environment.difference(session["environment"], found):
            raise HarnessError(
                f"{store.folder}: computed in another environment ({changed}); restore it, choose "
                "another out, or mix them with any_environment"
            )
    return {
        "environment": found,
        "isolation": execution.isolation,
        "source": environment.source(),
        "invocation": environment.invocation(),
        "fingerprints": {each.spec: each.fingerprint for each in survey.extractors},
    }


def _without_control(settings: Settings, plan: Plan) -> list[str]:
    """Extractors whose maps have no control although controls were asked for."""
    controlled = {planned.extractor for planned in plan.maps if planned.variant.role == "control"}
    found = {planned.extractor for planned in plan.maps}
    return sorted(found - controlled) if settings.controls else []


def _surveyed_maps(plan: Plan, survey: Survey) -> list[MapRecord]:
    """Records of the maps of which the survey told all: stored ones, and those not to be had."""
    observed = (
        planned
        for planned in plan.maps
        if not planned.image_set and planned.variant.role == "observed"
    )
    stored = [
        MapRecord(planned.key, found.digest, found.nodes, found.grid, found.truth, found.region)
        for planned, found in zip(observed, survey.maps, strict=True)
        if not found.reason
    ]
    lost = [
        MapRecord(planned.key, reason=planned.reason) for planned in plan.maps if planned.reason
    ]
    return stored + lost


@dataclass(frozen=True)
class _Run:
    """One execution of a plan."""

    settings: Settings
    execution: Execution
    planned: _Planned
    store: Store
    progress: Progress
    forced: Set[str]

    def complete(self) -> None:
        """Bring every planned cell to a record, then select."""
        for text in _without_control(self.settings, self.planned.plan):
            controls = ", ".join(self.settings.controls)
            self.progress.warn(f"{text}: no control is drawn from its maps by {controls}")
        with ExitStack() as stack:
            # Opened when there is work, and kept: workers that have imported their libraries are
            # quicker.
            pool = cache(lambda: stack.enter_context(self._pool()))
            self._cluster(pool, "clustering")
            self._select()
            self._plan_perturbed()
            self._cluster(pool, "clustering perturbed maps")
        replace_stabilities(self.store, stabilities(self.store))

    def _plan_perturbed(self) -> None:
        levels = levels_of(accepted(self.store))
        plan = self.planned.plan
        self.store.forget_cells(
            cell.key
            for cell in plan.perturbed_cells(levels)
            if not self.forced.isdisjoint(cell.components)
        )
        self.store.extend_plan(plan.perturbed_cells(levels))

    def _cluster(self, pool: Callable[[], Pool], phase: str) -> None:
        """Bring every cell that is planned by now to a record."""
        missing = self.store.count_missing()
        limits = self.execution.timeout
        if missing:
            with Clustering(
                self.store, pool(), self.settings, limits, self.progress, phase, missing
            ) as clustering:
                self._get_maps(clustering)
                clustering.finish()

    def _select(self) -> None:
        records = select_all(
            self.store,
            self.planned.worker,
            self.settings.selectors,
            pooling=self.settings.pooling,
            nulls=self.settings.nulls,
            limit=self.execution.timeout.seconds,
            progress=self.progress,
        )
        replace_selections(self.store, records)

    def _pool(self) -> AbstractContextManager[Pool]:
        planned, maps = self.planned, self.store.maps_folder
        if self.execution.isolation == "none":
            return InlinePool(planned.worker, maps)
        if self.execution.dask is None:
            return LocalPool(self.execution.workers, planned.make_worker, maps)
        from harness.engine.dask_pool import connect

        found = None
        if not self.execution.any_environment:
            found = environment.environment(self.execution.extraction_threads)
        return connect(
            self.execution.dask,
            self.execution.workers,
            planned.config,
            maps,
            found,
            self.progress,
        )

    def _get_maps(self, clustering: Clustering) -> None:
        lacking = self._lacking(self.planned.plan)
        extraction = Extraction(
            self.planned.worker,
            self.store.maps_folder,
            self.execution.timeout.seconds,
            self.progress,
            clustering.take_maps,
        )
        extracted = [planned for planned in lacking if not planned.drawn_from]
        if extracted:
            extraction.extract(extracted)
        drawn = [planned for planned in lacking if planned.drawn_from]
        if drawn:
            extraction.draw(drawn, self.store.maps())

    def _lacking(self, plan: Plan) -> list[PlannedMap]:
        """The maps that missing cells need and that are not kept."""
        needed = self.store.maps_needed()
        kept = self.store.maps()

        def is_kept(planned: PlannedMap) -> bool:
            found = kept.get(planned.key)
            return found is not None and (
                bool(found.reason) or is_intact(self.store.maps_folder, found.digest)
            )

        return _distinct(
            planned for planned in plan.maps if planned.key in needed and not is_kept(planned)
        )


def _distinct(maps: Iterable[PlannedMap]) -> list[PlannedMap]:
    """Each map once: images of equal pixels share theirs."""
    return list({planned.key: planned for planned in maps}.values())
