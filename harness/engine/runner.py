"""A run: survey the inputs, plan, compute what is missing in waves, select."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness.engine import provenance
from harness.engine.extraction import Extraction
from harness.engine.host import Host
from harness.engine.kept_maps import is_intact
from harness.engine.pool import CellJob, compute_all
from harness.engine.progress import Progress
from harness.engine.selecting import select_all
from harness.engine.survey import Surveyor
from harness.errors import HarnessError
from harness.plan import Plan, PlannedCell, PlannedMap, Survey, make_plan, split_extractors
from harness.records import CellRecord, StoredMap
from harness.registry import Registry
from harness.settings import Execution, Settings
from harness.store import (
    FILE_NAME,
    MAPS_FOLDER,
    Store,
    check_place,
    open_for_reading,
    open_for_writing,
)

# Failures beyond these are in the tables only.
WARNINGS = 10


@dataclass(frozen=True)
class Forecast:
    """What a run would do: its cells, those that are computed already, and the rest."""

    cells: int
    cached: int

    @property
    def new(self) -> int:
        """Cells that would be computed."""
        return self.cells - self.cached


def forecast(
    settings: Settings, execution: Execution, registry: Registry, folder: Path, progress: Progress
) -> Forecast:
    """Survey the inputs and count cells; nothing is computed and nothing kept."""
    check_place(folder)
    with TemporaryDirectory() as scratch, Host(execution.plugins) as host:
        surveyor = Surveyor(host, Path(scratch), execution.timeout, progress)
        plan = make_plan(settings, _survey(surveyor, settings, registry), registry)
    keys = {cell.key for cell in plan.cells}
    computed: set[str] = set()
    if (folder / FILE_NAME).is_file():
        with open_for_reading(folder) as store:
            computed = store.computed()
    return Forecast(len(keys), len(keys & computed))


def execute(
    settings: Settings,
    execution: Execution,
    registry: Registry,
    folder: Path,
    progress: Progress,
    *,
    retry_failed: bool = False,
    any_environment: bool = False,
) -> None:
    """Compute all that the settings ask for and the folder's store does not hold.

    May be stopped at any time and started again; only what is missing is computed. Raises
    HarnessError if the folder cannot be used, an input as a whole is not to be had, or, unless
    `any_environment`, what is stored was computed with other versions.
    """
    check_place(folder)
    with Host(execution.plugins) as host:
        surveyor = Surveyor(host, folder / MAPS_FOLDER, execution.timeout, progress)
        survey = _survey(surveyor, settings, registry)
        plan = make_plan(settings, survey, registry)
        with open_for_writing(folder) as store:
            session = _session(store, survey, any_environment)
            maps = _map_set_records(plan, survey)
            store.write_plan(asdict(settings), session, survey.images, plan, maps)
            if retry_failed:
                store.forget_failures()
            _Run(settings, execution, store, host, progress).complete(plan)


def _session(store: Store, survey: Survey, any_environment: bool) -> dict[str, Any]:
    """What is kept of this execution; refuses one that another environment began."""
    environment = provenance.environment()
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


def _map_set_records(plan: Plan, survey: Survey) -> list[StoredMap]:
    """The stored maps, which the survey has read already, under their keys."""
    observed = (
        planned
        for planned in plan.maps
        if not planned.image_set and planned.variant.role == "observed"
    )
    return [
        StoredMap(planned.key, found.digest, found.nodes, found.grid)
        for planned, found in zip(observed, survey.maps, strict=True)
        if not found.reason
    ]


@dataclass(frozen=True)
class _Run:
    """One execution of a plan."""

    settings: Settings
    execution: Execution
    store: Store
    host: Host
    progress: Progress

    def complete(self, plan: Plan) -> None:
        """Bring every planned cell to a record, then select."""
        for text in _without_control(self.settings, plan):
            controls = ", ".join(self.settings.controls)
            self.progress.warn(f"{text}: no control is drawn from its maps by {controls}")
        missing = self._missing(plan)
        if missing:
            self._get_maps(plan, missing)
            self._compute(missing)
        selections = select_all(
            self.store, self.host, self.settings, self.execution.timeout, self.progress
        )
        self.store.replace_selections(list(selections))

    def _missing(self, plan: Plan) -> list[PlannedCell]:
        computed = self.store.computed()
        # Equal images share their cells.
        return list({cell.key: cell for cell in plan.cells if cell.key not in computed}.values())

    def _get_maps(self, plan: Plan, missing: Sequence[PlannedCell]) -> None:
        needed = {cell.map.key: cell.map for cell in missing if not cell.map.reason}
        by_key = {planned.key: planned for planned in plan.maps}
        for planned in list(needed.values()):
            if planned.drawn_from:
                needed[planned.drawn_from] = by_key[planned.drawn_from]
        extraction = Extraction(
            self.host,
            self.store.maps_folder,
            self.execution.timeout,
            self.progress,
            self.store.write_maps,
        )
        lacking = self._lacking(needed.values())
        extracted = [planned for planned in lacking if not planned.drawn_from]
        if extracted:
            extraction.extract(extracted)
        drawn = [planned for planned in lacking if planned.drawn_from]
        if drawn:
            extraction.draw(drawn, self.store.maps())

    def _lacking(self, needed: Iterable[PlannedMap]) -> list[PlannedMap]:
        kept = self.store.maps()

        def is_kept(planned: PlannedMap) -> bool:
            found = kept.get(planned.key)
            return found is not None and (
                bool(found.reason) or is_intact(self.store.maps_folder, found.digest, found.nodes)
            )

        return [planned for planned in needed if not is_kept(planned)]

    def _job(self, cell: PlannedCell, kept: StoredMap) -> CellJob:
        return CellJob(
            cell.key,
            {
                "folder": str(self.store.maps_folder),
                "map": kept.digest,
                "grid": kept.grid,
                "image": cell.map.image,
                "layer": cell.map.slot.layer,
                "head": cell.map.slot.head,
                "role": cell.map.variant.role,
                "control": cell.map.variant.name,
                "draw": cell.map.variant.draw,
                "graph": cell.graph,
                "clusterer": cell.clusterer,
                "levels": self.settings.levels,
                "seed": cell.seed,
                "resolution": self.settings.resolution,
            },
        )

    def _compute(self, missing: Sequence[PlannedCell]) -> None:
        kept = self.store.maps()
        cells = {cell.key: cell for cell in missing}
        jobs, skipped = [], []
        for cell in missing:
            reason = cell.map.reason or kept[cell.map.key].reason
            if reason:
                skipped.append(CellRecord(cell.key, "skipped", reason))
            else:
                jobs.append(self._job(cell, kept[cell.map.key]))
        self.store.write_cells(skipped)
        if not jobs:
            return
        self.progress.begin("clustering", len(jobs))
        failures = 0
        records = compute_all(
            jobs, self.execution.workers, self.execution.plugins, self.execution.timeout
        )
        with closing(records):
            for record in records:
                self.store.write_cells([record])
                if not (self.store.folder / FILE_NAME).exists():
                    raise HarnessError(f"{self.store.folder}: was removed while the run went on")
                if record.status != "ok":
                    failures += 1
                    self._warn(cells[record.key], record, failures)
                self.progress.advance()

    def _warn(self, cell: PlannedCell, record: CellRecord, failures: int) -> None:
        if failures <= WARNINGS:
            where = f"{cell.clusterer} on {cell.map.image}"
            self.progress.warn(f"{where}: {record.status}: {record.reason}")
        elif failures == WARNINGS + 1:
            self.progress.warn("more cells fail; `harness export` has each with its reason")
