"""A run: survey the inputs, plan, compute what is missing, select."""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness.engine import provenance
from harness.engine.clustering import Clustering
from harness.engine.extraction import Extraction
from harness.engine.guardian import Guardian
from harness.engine.host import Host, Terms
from harness.engine.kept_maps import is_intact
from harness.engine.local_pool import LocalPool
from harness.engine.pool import Pool
from harness.engine.progress import Progress
from harness.engine.selecting import select_all
from harness.engine.survey import Surveyor
from harness.errors import HarnessError
from harness.identity import source_digest
from harness.plan import Plan, PlannedMap, Survey, expected_code, make_plan, split_extractors
from harness.records import StoredMap
from harness.registry import Registry
from harness.settings import Execution, Settings
from harness.store import (
    FILE_NAME,
    MAPS_FOLDER,
    Store,
    Timing,
    check_place,
    open_for_reading,
    open_for_writing,
)


@dataclass(frozen=True)
class Forecast:
    """What a run would do: its cells, those that are computed already, and how long the rest takes.

    seconds: judged by what like cells took in the same store; untimed: new cells of methods of
    which it holds none, which are not in it.
    """

    cells: int
    cached: int
    seconds: float
    untimed: int

    @property
    def new(self) -> int:
        """Cells that would be computed."""
        return self.cells - self.cached


def forecast(
    settings: Settings, execution: Execution, registry: Registry, folder: Path, progress: Progress
) -> Forecast:
    """Survey the inputs and count cells; nothing is computed and nothing kept."""
    check_place(folder)
    terms = terms_of(settings, execution, registry)
    with TemporaryDirectory() as scratch, Guardian() as guardian, Host(terms, guardian) as host:
        surveyor = Surveyor(host, Path(scratch), execution.timeout.seconds, progress)
        plan = make_plan(settings, _survey(surveyor, settings, registry), registry)
    computed: set[str] = set()
    timings: list[Timing] = []
    if (folder / FILE_NAME).is_file():
        with open_for_reading(folder) as store:
            computed, timings = store.computed(), store.timings()
    keys: set[str] = set()
    new: Counter[tuple[str, str]] = Counter()
    for cell in plan.cells():
        if cell.key not in keys and cell.key not in computed:
            new[cell.graph, cell.clusterer] += 1
        keys.add(cell.key)
    known = {(timing.graph, timing.clusterer): timing.seconds for timing in timings}
    work = sum(known.get(method, 0.0) * count * settings.levels for method, count in new.items())
    untimed = sum(count for method, count in new.items() if method not in known)
    return Forecast(len(keys), len(keys) - new.total(), work / execution.workers, untimed)


def execute(
    settings: Settings,
    execution: Execution,
    registry: Registry,
    folder: Path,
    progress: Progress,
    *,
    retry_failed: bool = False,
    force: Sequence[str] = (),
    any_environment: bool = False,
) -> None:
    """Compute all that the settings ask for and the folder's store does not hold.

    May be stopped at any time and started again; only what is missing is computed, and, on
    demand, what failed, and what the components named in `force` had a part in. Raises
    HarnessError if the folder cannot be used, an input as a whole is not to be had, or, unless
    `any_environment`, what is stored was computed with other versions.
    """
    check_place(folder)
    terms = terms_of(settings, execution, registry)
    with Guardian() as guardian, Host(terms, guardian) as host:
        surveyor = Surveyor(host, folder / MAPS_FOLDER, execution.timeout.seconds, progress)
        survey = _survey(surveyor, settings, registry)
        plan = make_plan(settings, survey, registry)
        with open_for_writing(folder) as store:
            session = _session(store, survey, execution, any_environment)
            store.write_plan(asdict(settings), session, survey.images, plan.cells())
            if retry_failed:
                store.forget_failures()
            for name in force:
                store.forget_component(name)
            store.write_maps(_surveyed_maps(plan, survey))
            run = _Run(settings, execution, terms, store, guardian, host, progress, any_environment)
            run.complete(plan)


def terms_of(settings: Settings, execution: Execution, registry: Registry) -> Terms:
    """What the run's hosts are told."""
    return Terms(
        execution.plugins,
        expected_code(settings, registry),
        source_digest(),
        int(execution.memory * 2**30),
        execution.extraction_threads,
    )


def _session(
    store: Store, survey: Survey, execution: Execution, any_environment: bool
) -> dict[str, Any]:
    """What is kept of this execution; refuses one that another environment began."""
    environment = provenance.environment(execution.extraction_threads)
    sessions = store.sessions()
    if sessions and not any_environment:
        changed = provenance.difference(sessions[-1]["environment"], environment)
        if changed:
            raise HarnessError(
                f"{store.folder}: computed in another environment ({changed}); restore it, choose "
                "another --out, or mix them with --any-environment"
            )
    return {
        "environment": environment,
        "source": provenance.source(),
        "invocation": provenance.invocation(),
        "fingerprints": {each.text: each.fingerprint for each in survey.extractors},
    }


def _survey(surveyor: Surveyor, settings: Settings, registry: Registry) -> Survey:
    return surveyor.survey(settings.images, *split_extractors(settings, registry))


def _without_control(settings: Settings, plan: Plan) -> list[str]:
    """Extractors whose maps have no control although controls were asked for."""
    controlled = {planned.extractor for planned in plan.maps if planned.variant.role == "control"}
    found = {planned.extractor for planned in plan.maps}
    return sorted(found - controlled) if settings.controls else []


def _surveyed_maps(plan: Plan, survey: Survey) -> list[StoredMap]:
    """Records of the maps of which the survey told all: stored ones, and those not to be had."""
    observed = (
        planned
        for planned in plan.maps
        if not planned.image_set and planned.variant.role == "observed"
    )
    stored = [
        StoredMap(planned.key, found.digest, found.nodes, found.grid)
        for planned, found in zip(observed, survey.maps, strict=True)
        if not found.reason
    ]
    lost = [
        StoredMap(planned.key, reason=planned.reason) for planned in plan.maps if planned.reason
    ]
    return stored + lost


@dataclass(frozen=True)
class _Run:
    """One execution of a plan."""

    settings: Settings
    execution: Execution
    terms: Terms
    store: Store
    guardian: Guardian
    host: Host
    progress: Progress
    any_environment: bool

    def complete(self, plan: Plan) -> None:
        """Bring every planned cell to a record, then select."""
        for text in _without_control(self.settings, plan):
            controls = ", ".join(self.settings.controls)
            self.progress.warn(f"{text}: no control is drawn from its maps by {controls}")
        missing = self.store.count_missing()
        if missing:
            limits = self.execution.timeout
            with self._pool(missing) as pool:
                clustering = Clustering(
                    self.store, pool, self.settings, limits, self.progress, missing
                )
                self._get_maps(plan, clustering)
                clustering.finish()
        selections = select_all(
            self.store, self.host, self.settings, self.execution.timeout.seconds, self.progress
        )
        self.store.replace_selections(selections)

    def _pool(self, missing: int) -> AbstractContextManager[Pool]:
        if self.execution.dask is None:
            return LocalPool(
                min(self.execution.workers, missing),
                lambda: Host(self.terms, self.guardian),
                self.store.maps_folder,
            )
        from harness.engine.dask_pool import connect

        environment = None
        if not self.any_environment:
            environment = provenance.environment(self.execution.extraction_threads)
        return connect(
            self.execution.dask,
            self.execution.workers,
            self.terms,
            self.store.maps_folder,
            environment,
            self.progress,
        )

    def _get_maps(self, plan: Plan, clustering: Clustering) -> None:
        lacking = self._lacking(plan)
        extraction = Extraction(
            self.host,
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
