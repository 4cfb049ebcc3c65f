"""The Python interface, the same that the command line uses."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from harness.analysis import leaderboard as ranking
from harness.analysis.ablation import Ablation, AblationSettings, ablate
from harness.analysis.comparison import PairedRuns, pair_runs
from harness.analysis.foreground import Foreground, ForegroundAgreement, foreground_agreement
from harness.analysis.image import ImageReport, image_report, weights_by_head
from harness.analysis.inputs import RunInputs
from harness.analysis.layers import HeadRow, LayerRow, MethodLayers, by_head, by_layer, layers
from harness.analysis.method import flatten
from harness.analysis.partitions import StoredPartition, stored_partition
from harness.engine.runner import PreparedRun
from harness.engine.selecting import apply_selectors
from harness.errors import HarnessError
from harness.planning.progress import NullProgress, Progress
from harness.planning.settings import (
    default_suite,
    execution,
    merge,
    read_suite,
    resolve,
)
from harness.plugin import registry
from harness.plugin.base import Component
from harness.plugin.registry import KINDS
from harness.plugin.spec import did_you_mean
from harness.plugin.values import Image
from harness.store import Store, failed_selections, frames, open_for_reading

if TYPE_CHECKING:
    import numpy as np
    import pandas
    from numpy.typing import NDArray

RESULTS = Path("results")
T = TypeVar("T")


@dataclass(frozen=True)
class Run:
    """A run's folder; every table is read from its store when it is asked for."""

    folder: Path

    def leaderboard(self, by: str | None = None) -> "pandas.DataFrame":
        """The ranked methods, one a row; `by` sorts by another column."""
        import pandas

        return pandas.DataFrame([flatten(row) for row in self.rows(by)])

    def rows(self, by: str | None = None) -> list[ranking.Row]:
        """The ranked methods as plain values."""
        return self._read(lambda stored: ranking.leaderboard(stored, by))

    def head_rows(self) -> list[HeadRow]:
        """Every method on every head of every layer apart, best heads first."""
        return self._read(by_head)

    def layer_rows(self) -> list[LayerRow]:
        """Every method on every layer apart, by depth."""
        return self._read(by_layer)

    def layers(self, clusterers: Sequence[str] = ()) -> list[MethodLayers]:
        """Every method by layer and head, and how alike its clusters are between them.

        `run.layers(["louvain"])`; `harness.analysis.layers` has what is returned. Raises
        HarnessError for a clusterer that the run does not have, and for a run of one layer and
        head.
        """
        return self._read(lambda stored: layers(stored, clusterers))

    def comparisons(self) -> list[ranking.Comparison]:
        """The methods of each set of images or maps, and what was tested between them."""
        return self._read(ranking.comparisons)

    def select(
        self,
        selectors: str | Sequence[str],
        plugins: Sequence[str | Path] = (),
        progress: Progress | None = None,
    ) -> int:
        """Apply more selectors to the stored profiles; returns how many selections failed.

        What they choose stands beside what others chose. Nothing is clustered again.
        """
        how = execution(merge(default_suite().values, {"plugins": list(plugins)}))
        spellings = [selectors] if isinstance(selectors, str) else selectors
        known = registry.load(how.plugins)
        return apply_selectors(self.folder, spellings, how, known, progress or NullProgress())

    def images(self) -> "pandas.DataFrame":
        """Every image, unreadable ones with their reason."""
        return self._read(frames.images)

    def cells(self) -> "pandas.DataFrame":
        """Every planned cell and what became of it."""
        return self._read(frames.cells)

    def points(self) -> "pandas.DataFrame":
        """Every point of every profile, with its labels."""
        return self._read(frames.points)

    def selections(self) -> "pandas.DataFrame":
        """Every selection, with the figures of the point it chose."""
        return self._read(frames.selections)

    def tests(self) -> "pandas.DataFrame":
        """Where every selection's statistic stands among those of each control's draws."""
        return self._read(frames.tests)

    def stabilities(self) -> "pandas.DataFrame":
        """How stable every accepted selection is, across levels, seeds and perturbations."""
        return self._read(frames.stabilities)

    def partition(self, image: str, reference: str) -> StoredPartition:
        """A partition of an image's attention: `partition("planted-0", "louvain@k=3")`.

        `harness.analysis.partitions` defines references to partitions. Raises HarnessError if
        the reference matches no partition or several.
        """
        return self._read(lambda stored: stored_partition(stored, image, reference))

    def ablate(
        self,
        partition: str,
        images: Sequence[str] = (),
        settings: AblationSettings | None = None,
        plugins: Sequence[str | Path] = (),
    ) -> Ablation:
        """Remove a partition's clusters from some images, by default from all, and see the effects.

        `run.ablate("louvain", ["00019-t-shirt"], AblationSettings(at="keys"))`; the latter is in
        `harness.analysis.ablation`, as is what is returned; `harness.analysis.partitions` defines
        partition references. Raises HarnessError if the image or the partition does not exist.
        """
        known = registry.load([Path(path) for path in plugins])
        how = settings or AblationSettings()
        return self._read(lambda stored: ablate(stored, known, partition, images, how))

    def image_report(
        self,
        image: str,
        filters: Mapping[str, str] | None = None,
        clusterers: Sequence[str] = (),
        selectors: Sequence[str] = (),
    ) -> ImageReport:
        """What every method found on one map of an image, compared with noise.

        `run.image_report("00019-t-shirt", {"head": "3"}, ["louvain"])`; `harness.analysis.image`
        has what is returned.
        """
        return self._read(
            lambda stored: image_report(stored, image, filters or {}, clusterers, selectors)
        )

    def weights(
        self, report: ImageReport, *, alone: bool = False
    ) -> "dict[int, NDArray[np.floating[Any]]]":
        """The weights (n, n) of a map's layer by head, or those of the map alone."""
        return self._read(lambda stored: weights_by_head(stored, report, alone=alone))

    def image(
        self, images: str, image: str, plugins: Sequence[str | Path] = ()
    ) -> tuple[Image, tuple[str, ...]]:
        """An image of one of the run's sets, and the classes that labels of the set are of.

        Raises HarnessError if it cannot be had any more, or has other pixels than in the run.
        """
        known = registry.load([Path(path) for path in plugins])

        def read(stored: Store) -> tuple[Image, tuple[str, ...]]:
            origins = RunInputs(stored, known)
            return origins.image(images, image), origins.classes(images)

        return self._read(read)

    def foreground(
        self,
        foreground: Foreground,
        plugins: Sequence[str | Path] = (),
        *,
        candidates: bool = False,
    ) -> ForegroundAgreement:
        """How every method's clusters agree with the images' foreground, and two baselines.

        `run.foreground(BrightnessThreshold(0))`; `harness.analysis.foreground` has that, masks, and
        what is returned. With `candidates`, levels that a selector did not accept count too. Raises
        HarnessError if an image cannot be loaded or has no foreground.
        """
        known = registry.load([Path(path) for path in plugins])
        return self._read(
            lambda stored: foreground_agreement(stored, known, foreground, candidates=candidates)
        )

    def compare(self, other: "Run") -> "pandas.DataFrame":
        """This run and another cell by cell: one row per method and metric.

        Columns are those of `harness.analysis.comparison.PairedMethod` and `PairedMetric`;
        differences are the other run's metric minus this one's.
        """
        import pandas

        methods = [flatten(method) for method in self.paired(other).methods]
        return pandas.DataFrame(
            [{**method, **metric} for method in methods for metric in method["metrics"]]
        ).drop(columns="metrics", errors="ignore")

    def paired(self, other: "Run") -> PairedRuns:
        """The same as plain values, with what else differs between the runs."""
        return self._read(lambda one: other._read(lambda stored: pair_runs(one, stored)))

    def settings(self) -> dict[str, Any]:
        """What was asked for."""
        return self._read(Store.settings)

    def sessions(self) -> list[dict[str, Any]]:
        """Environment, source and invocation of every execution, the latest last."""
        return self._read(Store.sessions)

    def failed_selections(self) -> int:
        """How many selections failed; those that found nothing did not."""
        return self._read(failed_selections)

    def controls(self) -> list[str]:
        """The controls that images or maps are compared with."""
        return self._read(Store.controls)

    def statuses(self) -> dict[str, int]:
        """How many planned cells have each status."""
        return self._read(Store.statuses)

    def _read(self, part: Callable[[Store], T]) -> T:
        with open_for_reading(self.folder) as stored:
            return part(stored)


def prepare(suite: Path | None, values: dict[str, Any]) -> PreparedRun:
    """A run from the default suite, a suite file over it, and values over both.

    Raises HarnessError if anything in them is wrong.
    """
    base = default_suite()
    given = read_suite(suite) if suite is not None else base
    merged = merge(base.values, given.values, values)
    how = execution(merged)
    plugins = registry.load(how.plugins)
    for name in how.timeout.by_clusterer:
        plugins.find("clusterer", name)
    settings = resolve(merged, plugins)
    folder = how.out or RESULTS / f"{given.name}-{settings.digest()}"
    return PreparedRun(settings, how, plugins, folder)


def run(
    suite: str | Path | None = None,
    *,
    images: str | Sequence[str] | None = None,
    extractors: str | Sequence[str] | None = None,
    graphs: str | Sequence[str] | None = None,
    clusterers: str | Sequence[str] | None = None,
    selectors: str | Sequence[str] | None = None,
    controls: str | Sequence[str] | None = None,
    levels: int | None = None,
    repeats: int | None = None,
    perturbations: str | Sequence[str] | None = None,
    nulls: int | None = None,
    pooling: str | None = None,
    stability_draws: int | None = None,
    rescore: bool | None = None,
    resolution: float | None = None,
    seed: int | None = None,
    workers: int | None = None,
    timeout: float | str | None = None,
    memory: float | None = None,
    extraction_threads: int | None = None,
    dask: str | None = None,
    isolation: str | None = None,
    plugins: Sequence[str | Path] | None = None,
    out: str | Path | None = None,
    retry_failed: bool = False,
    force: Sequence[str] = (),
) -> Run:
    """Run the harness: what is not given comes from the suite file, else from the default run.

    Components are spelled as on the command line, `"louvain[resolution=[0.5,1]],infomap"`. The
    same call again computes only what is missing; with `retry_failed` also what failed, and what
    the components named in `force` had a part in. Raises HarnessError for what is wrong with
    the settings or the inputs; cells that fail are in the run's tables.
    """
    values = {
        "images": images,
        "extractors": extractors,
        "graphs": graphs,
        "clusterers": clusterers,
        "selectors": selectors,
        "controls": controls,
        "levels": levels,
        "repeats": repeats,
        "perturbations": perturbations,
        "nulls": nulls,
        "pooling": pooling,
        "stability_draws": stability_draws,
        "rescore": rescore,
        "resolution": resolution,
        "seed": seed,
        "workers": workers,
        "timeout": timeout,
        "memory": memory,
        "extraction_threads": extraction_threads,
        "dask": dask,
        "isolation": isolation,
        "plugins": plugins,
        "out": out,
    }
    prepared = prepare(None if suite is None else Path(suite), values)
    prepared.execute(NullProgress(), retry_failed=retry_failed, force=force)
    return Run(prepared.folder)


def open_run(path: str | Path) -> Run:
    """The run in a folder.

    Raises HarnessError if there is none, or one of another version.
    """
    with open_for_reading(Path(path)):
        return Run(Path(path))


def make(kind: str, spelling: str, plugins: Sequence[str | Path] = ()) -> Any:
    """The one configured component that a spelling names: `make("clusterer", "louvain")`.

    Kinds are image set, extractor, graph builder, clusterer, selector, control and perturbation;
    underscores do for spaces. Its methods can be called by hand; where they take a map, a graph or
    an image, a numpy array does. Raises HarnessError for what is not there and for a sweep.
    """
    kind = kind.replace("_", " ").replace("-", " ")
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS) or f"; there are {', '.join(KINDS)}"
        raise HarnessError(f"there is no kind {kind!r}{hint}")
    made: list[Component] = registry.load([Path(path) for path in plugins]).make(kind, spelling)
    if len(made) != 1:
        raise HarnessError(f"{spelling!r} spells {len(made)} components; one is wanted")
    return made[0]
