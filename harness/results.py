"""A run's results, read from its folder when they are asked for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from harness.analysis import leaderboard as ranking
from harness.analysis.ablation import Ablation, AblationSettings, ablate
from harness.analysis.columns import refuse_taken
from harness.analysis.comparison import PairedMethod, PairedMetric, PairedRuns, pair_runs
from harness.analysis.foreground import ForegroundAgreement, foreground_agreement
from harness.analysis.image import ImageReport, image_report, weights_by_head
from harness.analysis.inputs import RunInputs
from harness.analysis.layers import HeadRow, LayerRow, MethodLayers, by_head, by_layer, layers
from harness.analysis.masks import Foreground
from harness.analysis.method import flat_types, flatten
from harness.analysis.outcomes import Outcome
from harness.analysis.partitions import StoredPartition, matching_specs, stored_partition
from harness.analysis.verdicts import Verdict, verdicts
from harness.engine.applying import how_to_apply
from harness.engine.environment import environment
from harness.engine.scoring import apply_scores
from harness.engine.selecting import apply_selectors
from harness.errors import HarnessError
from harness.planning.progress import Progress
from harness.planning.settings import Isolation
from harness.plugin import registry
from harness.plugin.arguments import checked_class
from harness.plugin.recorded import recalled
from harness.plugin.values import Image
from harness.store import Store, frames, open_for_reading
from harness.store.selections import failures
from harness.views.progress import shown_progress

if TYPE_CHECKING:
    import numpy as np
    import pandas
    from numpy.typing import NDArray

P = ParamSpec("P")
T = TypeVar("T")
Plugins = Sequence[str | Path]
ProgressOption = bool | Progress


@checked_class
@dataclass(frozen=True)
class Run:
    """A run's folder; every method reads the store in it anew.

    `harness.run` and `harness.open_run` return runs. Frames are tidy: one observation a row,
    identified by image_set, image, extractor, layer, head, graph, clusterer and repeat, and by
    role, control and draw where controls are included. Times are in seconds, memory in bytes. Three
    columns hold arrays, `labels`, `null_statistics` and `null_candidates`; leave them out for
    methods of pandas that take none: `points.drop(columns="labels").drop_duplicates()`, or
    `to_sql`.
    Where `plugins` are taken, they are files or package folders with more plugins than the run's
    own, which it remembers. What takes over two seconds shows progress on stderr;
    `progress=False` turns that off.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder.
    selectors : tuple of str, optional
        Names or specs of the selectors whose selections are read, the run's own by default. The
        run may have others that `select` applied.

    Examples
    --------
    >>> import tempfile
    >>> import harness
    >>> folder = tempfile.TemporaryDirectory()
    >>> run = harness.run(
    ...     extractors="planted[count=2,n=36]",
    ...     clusterers="louvain",
    ...     selectors="max-modularity",
    ...     controls="permuted-rows",
    ...     perturbations="none",
    ...     levels=4,
    ...     nulls=3,
    ...     out=f"{folder.name}/out",
    ... )
    >>> run.statuses()
    {'ok': 6}
    >>> run.leaderboard()[["clusterer", "selector", "ok", "total"]]
      clusterer        selector  ok  total
    0   louvain  max-modularity   2      2
    >>> points = run.points().query("role == 'observed'")
    >>> points.groupby("image")["point"].count().to_dict()
    {'planted-000': 4, 'planted-001': 4}
    >>> run.partition("planted-000", "louvain").labels.shape
    (36,)
    >>> run.select("fixed[level=0.5]").leaderboard()[["clusterer", "selector"]]
      clusterer          selector
    0   louvain  fixed[level=0.5]
    >>> folder.cleanup()
    """

    folder: Path
    selectors: tuple[str, ...] = ()

    def leaderboard(
        self, by: str | None = None, *, progress: ProgressOption = True
    ) -> "pandas.DataFrame":
        """Rank the methods, or `by` another column; a frame of one row a method, best first.

        It holds rank, tier, specs, means over maps (modularity, effect, jaccard, n_clusters,
        coverage, p_value, seconds), and how many maps are accepted, significant, ok and in total.
        Each score that `score` computed has its mean over accepted maps (`conductance`), the
        reference control's (`conductance_control`), the mean difference
        (`conductance_difference`), and how many maps have one (`conductance_maps`).
        """
        rows = self.rows(by, progress=progress)
        return frames.of_rows(list(map(ranking.flattened, rows)), ranking.column_types(rows))

    def rows(self, by: str | None = None, *, progress: ProgressOption = True) -> list[ranking.Row]:
        """Return the rows of `leaderboard` as values."""
        with shown_progress(progress) as shown:
            return self._read(ranking.leaderboard, by, shown)

    def head_rows(self, *, progress: ProgressOption = True) -> list[HeadRow]:
        """Return the figures of `rows` on every head of every layer, best heads first."""
        with shown_progress(progress) as shown:
            return self._read(by_head, shown)

    def layer_rows(self, *, progress: ProgressOption = True) -> list[LayerRow]:
        """Return the figures of `rows` on every layer, by depth."""
        with shown_progress(progress) as shown:
            return self._read(by_layer, shown)

    def layers(
        self, clusterers: Sequence[str] = (), *, progress: ProgressOption = True
    ) -> list[MethodLayers]:
        """Describe every method by layer and head, and compare its clusters between them.

        Without `clusterers`, given by specs or names, all are described. Raises HarnessError if the
        run lacks a clusterer, or has only one layer and head.
        """
        with shown_progress(progress) as shown:
            return self._read(layers, clusterers, shown)

    def comparisons(self, *, progress: ProgressOption = True) -> list[ranking.Comparison]:
        """Return what was tested between methods, for each set of images or maps.

        Friedman's p is over all methods; each pair has the first's wins, p and q.
        """
        with shown_progress(progress) as shown:
            return self._read(ranking.comparisons, shown)

    def verdicts(self) -> list[Verdict]:
        """Return what the tests found, for each selector and control.

        A verdict has the number of significant tests, of those whose p is the smallest that their
        draws allow, and what more draws could settle.
        """
        return self._read(verdicts)

    def select(
        self,
        selectors: Sequence[str],
        plugins: Plugins = (),
        progress: ProgressOption = True,
    ) -> "Run":
        """Apply more selectors, given by specs, to the stored profiles; nothing is clustered again.

        What they select is stored beside what the run's own selected. Returns the run as these
        selectors see it, as does `open_run(…, selectors=…)`.
        """
        how, known = how_to_apply(self.folder, plugins)
        with shown_progress(progress) as shown:
            applied = apply_selectors(self.folder, selectors, how, known, shown)
        return Run(self.folder, tuple(applied))

    def score(
        self,
        scores: Sequence[str],
        plugins: Plugins = (),
        *,
        timeout: float | None = None,
        isolation: Isolation | None = None,
        progress: ProgressOption = True,
    ) -> "Run":
        """Compute scores, given by specs, of the stored labels; nothing is clustered again.

        They are of every level that a selector selected, on the maps and on their controls' draws.
        What is stored already stays, unless the score's version or code has changed; what failed
        is tried again. `timeout` is the seconds that a score may take for one level. Returns the
        run, whose `leaderboard`, `compare` and `scores` have the scores.
        """
        how, known = how_to_apply(self.folder, plugins, timeout=timeout, isolation=isolation)
        made = (score.name for text in scores for score in known.make("score", text))
        refuse_taken(made, (*ranking.COLUMNS, *Outcome._fields))
        with shown_progress(progress) as shown:
            apply_scores(self.folder, scores, how, known, shown)
        return self

    def images(self) -> "pandas.DataFrame":
        """Return a frame of every image, unreadable ones with the reason.

        It holds image_set, image, digest of the pixels, height, width and channels in pixels,
        label, reason.
        """
        return self._read(frames.images)

    def cells(self) -> "pandas.DataFrame":
        """Return a frame of every planned cell and its status.

        It holds cell and what identifies it, status (ok, failed, invalid, timed out, killed or
        missing), reason, detail, seconds, peak_memory in bytes, nodes.
        """
        return self._read(frames.cells)

    def points(self) -> "pandas.DataFrame":
        """Return a frame of every point of every profile: a cell at a level.

        It holds cell and what identifies it, point, level (the fraction of weights that is pruned),
        threshold, density, modularity on the pruned and on the full graph, n_clusters, coverage,
        labels (arrays of n nodes, −1 is unassigned), diagnostics and warnings (JSON).
        """
        return self._read(frames.points)

    def selections(self) -> "pandas.DataFrame":
        """Return a frame of every selection, with the point that it selected.

        It holds cell and what identifies it, selector, status, accepted, candidate (the point),
        level, threshold, modularity, n_clusters, coverage, statistic, the plateau's first and last
        point, reason.
        """
        return self._read(frames.selections)

    def tests(self) -> "pandas.DataFrame":
        """Return a frame of the test of every selection against each control.

        It holds cell and what identifies it, selector, control, statistic, null_statistics (an
        array), their mean and deviation, null_candidates (an array of the points selected on the
        draws, −1 where none was accepted), z, p, q (p adjusted for the false discovery rate), and
        bias and single_bias, the mean excess of the map's draws and that of the first.
        """
        return self._read(frames.tests)

    def stabilities(self) -> "pandas.DataFrame":
        """Return a frame of how stable every accepted selection is.

        It holds cell and what identifies it, selector, kind (levels, seeds or a perturbation),
        compared partitions, jaccard (adjusted for chance), and the least stable cluster.
        """
        return self._read(frames.stabilities)

    def scores(self) -> "pandas.DataFrame":
        """Return a frame of every figure that `score` computed: a score of a cell at a level.

        It holds cell and what identifies it, point, level, score, figure (NaN is undefined),
        reason (why it failed), higher_is_better, lowest, highest and version of the score.
        """
        return self._read(frames.scores)

    def partition(self, image: str, reference: str) -> StoredPartition:
        """Return a stored partition of an image's attention; its `labels` are an array of n nodes.

        `reference` says which: "louvain", "louvain@k=3", "louvain@selector=fixed,head=2", "truth".
        Raises HarnessError if there is no such partition, or more than one.
        """
        return self._read(stored_partition, image, reference)

    def ablate(
        self,
        reference: str,
        images: Sequence[str] = (),
        settings: AblationSettings | None = None,
        plugins: Plugins = (),
        *,
        progress: ProgressOption = True,
    ) -> Ablation:
        """Measure how the model's response changes if the clusters of a partition are removed.

        `reference` is as in `partition`; without `images` all are taken; `settings` say what is
        removed, and where. What random patches do is kept in the run's folder, so that the same
        call continues after an interruption.
        """
        how, known, found = settings or AblationSettings(), self._registry(plugins), environment(1)
        with shown_progress(progress) as shown:
            return self._read(ablate, known, reference, images, how, shown, found)

    def image_report(
        self,
        image: str,
        filters: Mapping[str, str | int] | None = None,
        clusterers: Sequence[str] = (),
    ) -> ImageReport:
        """Report what every method found on one map of an image, and on its controls.

        `filters` identify the map if the image has several, such as {"head": "3"}. Without
        `clusterers`, given by specs or names, all are reported.
        """
        return self._read(image_report, image, filters or {}, clusterers)

    def weights(
        self, report: ImageReport, *, alone: bool = False
    ) -> "dict[int, NDArray[np.floating[Any]]]":
        """Return the attention of the layer that an image report is about, by head.

        Weights are (n, n), from row to column; with `alone` only those of the report's head.
        """
        return self._read(weights_by_head, report, alone=alone)

    def image(
        self, images: str, image: str, plugins: Plugins = ()
    ) -> tuple[Image, tuple[str, ...]]:
        """Load an image of an image set of the run, given by its spec, again.

        Returns the image, and the classes of the set in the order of labels. Raises HarnessError if
        it cannot be loaded, or its pixels are not those of the run.
        """
        known = self._registry(plugins)

        def read(stored: Store) -> tuple[Image, tuple[str, ...]]:
            inputs = RunInputs(stored, known)
            return inputs.image(images, image), inputs.classes(images)

        return self._read(read)

    def foreground(
        self,
        foreground: Foreground,
        plugins: Plugins = (),
        *,
        candidates: bool = False,
        progress: ProgressOption = True,
    ) -> ForegroundAgreement:
        """Measure how well every method's clusters agree with the objects on the images.

        `foreground` is `BrightnessThreshold(0)`, for example, or `Masks(images, folder)`, both of
        `harness.analysis.masks`. With `candidates`, levels count that a selector did not accept.
        Spatial blocks, k-means on pixels and chance are measured beside the methods.
        """
        known = self._registry(plugins)
        with shown_progress(progress) as shown:
            return self._read(
                foreground_agreement, known, foreground, candidates=candidates, progress=shown
            )

    def compare(self, other: "Run", *, progress: ProgressOption = True) -> "pandas.DataFrame":
        """Compare with another run, cell by cell; a frame of one row a method and metric.

        Its columns are the fields of PairedMethod and PairedMetric in
        `harness.analysis.comparison`. Differences are the other run's less this one's. Raises
        HarnessError if nothing in one run has a partner in the other.
        """
        found = self.paired(other, progress=progress)
        if not found.paired:
            raise HarnessError(
                f"{found.first} and {found.second}: nothing is paired: no image or map has the "
                "same method in both"
            )
        methods = map(flatten, found.methods)
        rows = [{**method, **metric} for method in methods for metric in method["metrics"]]
        return frames.of_rows(rows, {**flat_types(PairedMethod), **flat_types(PairedMetric)})

    def paired(self, other: "Run", *, progress: ProgressOption = True) -> PairedRuns:
        """Return the rows of `compare` as values, and what else differs between the runs."""
        with shown_progress(progress) as shown:
            return self._read(lambda one: other._read(lambda two: pair_runs(one, two, shown)))

    def unfinished(self) -> str:
        """Return what the run lacks because it was stopped, in words; "" if it is complete.

        What is there can be read, and is all that figures and tests are made of.
        """
        return self._read(Store.unfinished)

    def settings(self) -> dict[str, Any]:
        """Return what was asked for: the fields of `Settings`, by name."""
        return self._read(Store.settings)

    def sessions(self) -> list[dict[str, Any]]:
        """Return environment, source and invocation of every execution, the latest last."""
        return self._read(Store.sessions)

    def failures(self) -> dict[str, int]:
        """Return how much failed, by what it was: "image could not be read", "cell timed out", …

        A selection that found nothing did not fail, and a cell without a map counts by its map.
        """
        return self._read(failures)

    def controls(self) -> list[str]:
        """Return the specs of the controls that images or maps are compared with."""
        return self._read(Store.controls)

    def caveats(self, controls: Sequence[str]) -> dict[str, str]:
        """Return why a small p under some controls, given by specs, may not be evidence."""
        known = self.sessions()[-1].get("caveats", {})
        return {control: known[control] for control in controls if control in known}

    def statuses(self) -> dict[str, int]:
        """Return how many planned cells have each status."""
        return self._read(Store.statuses)

    def _read(
        self, part: Callable[Concatenate[Store, P], T], *arguments: P.args, **options: P.kwargs
    ) -> T:
        with open_for_reading(self.folder) as stored:
            if self.selectors:
                known = stored.known_selectors()
                chosen = matching_specs("selector", self.selectors, known)
            else:
                chosen = list(stored.selectors)
            stored.show_selectors(chosen)
            return part(stored, *arguments, **options)

    def _registry(self, plugins: Plugins) -> registry.Registry:
        """The components of installed packages, of the run's plugins and of more."""
        return registry.load(
            *recalled(self.folder, self.sessions(), [Path(path) for path in plugins])
        )
