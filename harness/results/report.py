"""Reports of runs as HTML files."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.analysis.comparison import pair_runs
from harness.analysis.inputs import RunInputs
from harness.analysis.report.contents import RunReport, run_report
from harness.analysis.report.gallery import BUDGET
from harness.errors import HarnessError, WrongValueError
from harness.planning.progress import Progress
from harness.results.stored import StoredRun
from harness.store import Store

if TYPE_CHECKING:
    from harness.plugin.registry import Registry
    from harness.results.run import Run


def check_runs(runs: Sequence[Any]) -> None:
    """Raise WrongValueError unless all are runs, and different ones."""
    folders = []
    for each in runs:
        if not isinstance(each, StoredRun):
            # A run that is no list is one of its rows.
            raise WrongValueError(f"expected a list of runs, not one of {type(each).__name__}")
        folder = each.folder.resolve()
        if folder in folders:
            raise WrongValueError(f"{each.folder}: the run is given twice")
        folders.append(folder)


def report_document(
    runs: Sequence["Run"],
    registries: Sequence["Registry"],
    progress: Progress,
    *,
    pictures: bool = True,
) -> dict[str, Any]:
    """The data of a report on runs, as JSON; two runs are compared.

    registries: of each run's components, to load its images, unless pictures are left out.
    """
    from harness.views.report.document import document

    budget = BUDGET // len(runs)
    found = [
        run._read(_report, registry, budget, progress, pictures=pictures)
        for run, registry in zip(runs, registries, strict=True)
    ]
    pairs = None
    if len(runs) == 2:
        one, other = runs
        pairs = one._read(
            lambda ours: other._read(lambda theirs: pair_runs(ours, theirs, progress))
        )
    return document(found, pairs)


def _report(
    store: Store, registry: "Registry", budget: int, progress: Progress, *, pictures: bool
) -> RunReport:
    from harness.views.report.pictures import picture

    inputs = RunInputs(store, registry)

    def shown(image_set: str, image: str) -> str:
        if not pictures:
            raise HarnessError("pictures were left out")
        return picture(inputs.image(image_set, image).pixels)

    return run_report(store, shown, budget, progress)
