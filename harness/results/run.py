"""A run's results, read from its folder when they are asked for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.analysis import leaderboard as ranking
from harness.analysis.ablation import AblationSettings, ablate
from harness.analysis.board import board
from harness.analysis.columns import refuse_taken
from harness.analysis.comparison import pair_runs
from harness.analysis.foreground import foreground_agreement
from harness.analysis.image import ImageReport, image_report, weights_by_head
from harness.analysis.inputs import RunInputs
from harness.analysis.labels import spec_labels
from harness.analysis.layers import by_head, by_layer, layers
from harness.analysis.masks import Foreground
from harness.analysis.outcomes import Outcome, outcomes
from harness.analysis.partitions import matching_spec, stored_partition
from harness.analysis.verdicts import verdicts
from harness.engine.applying import how_to_apply
from harness.engine.environment import environment
from harness.engine.scoring import apply_scores
from harness.engine.selecting import apply_selectors
from harness.errors import HarnessError, escape_line
from harness.planning.progress import Progress
from harness.planning.settings import Isolation
from harness.plugin import registry
from harness.plugin.arguments import checked_class
from harness.plugin.recorded import recalled
from harness.plugin.values import Image
from harness.results.ablation import AblationResult
from harness.results.comparison import RunComparison
from harness.results.foreground import ForegroundResult
from harness.results.image import ImageResult, PartitionResult
from harness.results.layers import HeadRows, LayerRows, Layers
from harness.results.leaderboard import Comparisons, Leaderboard, Verdicts
from harness.results.publishing import Publishing, check_publishable, publish
from harness.results.report import check_runs, report_document
from harness.results.result import Width
from harness.results.stored import StoredRun
from harness.store import Store
from harness.views.progress import shown_progress
from harness.written import replacing

if TYPE_CHECKING:
    import numpy as np
    import pandas
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

Plugins = Sequence[str | Path]
ProgressOption = bool | Progress


@checked_class
@dataclass(frozen=True, repr=False)
class Run(StoredRun):
    """The results in a run's folder; every method reads its store again.

    `harness.run` and `harness.open_run` return runs. A notebook shows a run as its leaderboard, and
    `to_frame`, `plot` and iteration are those of the leaderboard. Frames are tidy, with one
    observation per row. Its identifiers are image_set, image, extractor, layer, head, graph,
    clusterer and repeat, with controls also role, control and draw. Times are in seconds, memory in
    bytes. The columns `labels`, `null_statistics` and `null_candidates` hold arrays; drop them for
    methods of pandas that take no arrays: `points.drop(columns="labels").drop_duplicates()`.
    The run remembers its plugins; the argument `plugins` names further files or package folders.
    What takes over two seconds shows progress on stderr, unless `progress=False`.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder.
    selectors : tuple of str, optional
        Names or specs of the selectors whose selections are read; by default the run's own, without
        those that `select` applied.

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

    def leaderboard(self, by: str | None = None, *, progress: ProgressOption = True) -> Leaderboard:
        """Rank the methods, the best first, by effect or `by` another column.

        Rows, columns and frame hold rank, tier, specs, means over maps (modularity, effect,
        jaccard, n_clusters, coverage, p_value, seconds), and how many maps are accepted,
        significant, ok and in total.
        """
        with shown_progress(progress) as shown:
            found = self._read(lambda stored: board(stored, outcomes(stored, shown), by, shown))
        return Leaderboard(**vars(found))

    def head_rows(self, *, progress: ProgressOption = True) -> HeadRows:
        """Return the numbers of the leaderboard for each head, best heads first."""
        with shown_progress(progress) as shown:
            rows = self._read(by_head, shown)
        return HeadRows(str(self.folder), rows, self.caveats(self.controls()[:1]))

    def layer_rows(self, *, progress: ProgressOption = True) -> LayerRows:
        """Return the numbers of the leaderboard for each layer, by depth."""
        with shown_progress(progress) as shown:
            rows = self._read(by_layer, shown)
        return LayerRows(str(self.folder), rows, self.caveats(self.controls()[:1]))

    def layers(self, clusterers: Sequence[str] = (), *, progress: ProgressOption = True) -> Layers:
        """Describe every method by layer and head, and compare its clusters between them.

        `clusterers` are specs or names, by default all. Raises HarnessError if the run lacks one of
        them, or has only one layer and head.
        """
        with shown_progress(progress) as shown:
            return Layers(str(self.folder), self._read(layers, clusterers, shown))

    def comparisons(self, *, progress: ProgressOption = True) -> Comparisons:
        """Return the tests between methods, for each set of images or maps.

        Friedman's test compares all methods; each pair has wins of the first, p and q.
        """
        with shown_progress(progress) as shown:
            return Comparisons(self._read(ranking.comparisons, shown))

    def verdicts(self) -> Verdicts:
        """Return the results of the tests, for each selector and control.

        A verdict has the number of significant tests, the number of those with the smallest p that
        their draws allow, and what more draws could settle.
        """
        return Verdicts(self._read(verdicts))

    def select(
        self,
        selectors: Sequence[str],
        plugins: Plugins = (),
        progress: ProgressOption = True,
    ) -> "Run":
        """Apply more selectors, given by specs, to the stored profiles; nothing is clustered again.

        Their selections are stored beside those of the run's own selectors. Returns the run with
        these selectors, as does `open_run(…, selectors=…)`.
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

        They are computed at every selected level, of the maps and of their controls' draws. Stored
        scores are kept, unless the score's version or code has changed; failed ones are tried
        again. `timeout` is the seconds that a score may take for one level. Returns the run:
        `leaderboard`, `compare` and `scores` show the scores.
        """
        how, known = how_to_apply(self.folder, plugins, timeout=timeout, isolation=isolation)
        made = (score.name for text in scores for score in known.make("score", text))
        refuse_taken(made, (*ranking.COLUMNS, *Outcome._fields))
        with shown_progress(progress) as shown:
            apply_scores(self.folder, scores, how, known, shown)
        return self

    def partition(self, image: str, reference: str) -> PartitionResult:
        """Return a stored partition of an image's attention, with its `labels` (n,).

        `reference` names it: "louvain", "louvain@k=3", "louvain@selector=fixed,head=2", "truth".
        Raises HarnessError if there is no such partition, or several.
        """
        found = self._read(stored_partition, image, reference)
        return PartitionResult(**vars(found), run=self)

    def ablate(
        self,
        reference: str,
        images: Sequence[str] = (),
        settings: AblationSettings | None = None,
        plugins: Plugins = (),
        *,
        progress: ProgressOption = True,
    ) -> AblationResult:
        """Measure how the model's output changes if the clusters of a partition are removed.

        `reference` is as in `partition`. `images` are all by default. `settings` say what is
        removed, and where. The effects of random patches are stored in the run's folder, so the
        same call continues after an interruption.
        """
        how, known, found = settings or AblationSettings(), self._registry(plugins), environment(1)
        with shown_progress(progress) as shown:
            measured = self._read(ablate, known, reference, images, how, shown, found)
        return AblationResult(**vars(measured), run=str(self.folder))

    def image_report(
        self,
        image: str,
        filters: Mapping[str, str | int] | None = None,
        clusterers: Sequence[str] = (),
    ) -> ImageResult:
        """Report the results of every method on one map of an image, and on its controls.

        `filters` choose the map if the image has several, such as {"head": "3"}. `clusterers` are
        specs or names, by default all.
        """
        found = self._read(image_report, image, filters or {}, clusterers)
        return ImageResult(**vars(found), run=self)

    def weights(
        self, report: ImageReport, *, alone: bool = False
    ) -> "dict[int, NDArray[np.floating[Any]]]":
        """Return the attention of the layer of an image report, by head.

        Row i of the weights (n, n) is what patch i attends to. With `alone`, only the report's head
        is returned.
        """
        return self._read(weights_by_head, report, alone=alone)

    def image(
        self, images: str, image: str, plugins: Plugins = ()
    ) -> tuple[Image, tuple[str, ...]]:
        """Load an image again, from an image set of the run, given by its spec.

        Returns the image, and the classes of the set in the order of labels. Raises HarnessError if
        it cannot be loaded, or if its pixels have changed since the run.
        """
        known = self._registry(plugins)

        def read(stored: Store) -> tuple[Image, tuple[str, ...]]:
            inputs = RunInputs(stored, known)
            image_set = matching_spec("image set", images, stored.settings()["images"])
            return inputs.image(image_set, image), inputs.classes(image_set)

        return self._read(read)

    def foreground(
        self,
        foreground: Foreground,
        plugins: Plugins = (),
        *,
        candidates: bool = False,
        progress: ProgressOption = True,
    ) -> ForegroundResult:
        """Measure how well every method's clusters agree with the objects on the images.

        `foreground` is such as `BrightnessThreshold(0)` or `Masks(images, folder)`, both of
        `harness.analysis.masks`. With `candidates`, levels that a selector did not accept also
        count. The baselines are spatial blocks, k-means on pixels, and chance.
        """
        known = self._registry(plugins)
        with shown_progress(progress) as shown:
            found = self._read(
                foreground_agreement, known, foreground, candidates=candidates, progress=shown
            )
        return ForegroundResult(**vars(found), run=str(self.folder))

    def compare(self, other: "Run", *, progress: ProgressOption = True) -> RunComparison:
        """Compare every method's metrics with those of another run, cell by cell.

        Differences are the other run's values minus this one's.
        """
        with shown_progress(progress) as shown:
            found = self._read(lambda one: other._read(lambda two: pair_runs(one, two, shown)))
        return RunComparison(**vars(found))

    def publish(
        self,
        path: str | Path,
        *,
        all_levels: bool = False,
        pictures: bool = True,
        license: str = "unknown",
        overwrite: bool = False,
        progress: ProgressOption = True,
    ) -> "Run":
        """Write the run to a folder that can be committed, or uploaded as a data set.

        The folder has the tables as Parquet, the report, a card, provenance and checksums, but no
        attention maps. It has the points at the levels that selectors chose; with `all_levels`, all
        points and the labels of draws. Without `pictures`, the report shows no images. `license` is
        the license on the card, such as "cc-by-4.0". `overwrite` replaces a published run, and no
        other file. Returns the published run. Raises HarnessError if the folder cannot be written.
        """
        how, target = Publishing(all_levels, pictures, license, overwrite), Path(path)
        check_publishable(self.folder, target, how)
        known = self._registry(())
        with shown_progress(progress) as shown:
            board = self.leaderboard(progress=shown)
            document = report_document([self], [known], shown, pictures=pictures)
            publish(self.folder, board, document, target, how, shown)
        return Run(target)

    def report(
        self,
        path: str | Path,
        others: Sequence["Run"] = (),
        plugins: Plugins = (),
        progress: ProgressOption = True,
    ) -> Path:
        """Write a report as one HTML file that needs no network, and return its path.

        It has the answer in sentences, the leaderboard, curves, and images with their clusters at
        every level. `others` is a list of more runs for the same page; a single one is also
        compared. Images that have changed since the run have no picture.
        """
        from harness.views.report.html import html

        runs = (self, *others)
        check_runs(runs)
        with shown_progress(progress) as shown:
            page = html(report_document(runs, [run._registry(plugins) for run in runs], shown))
        with replacing(Path(path)) as new:
            new.write_text(page, encoding="utf-8")
        return Path(path)

    def to_frame(self) -> "pandas.DataFrame":
        """Return the leaderboard as a frame."""
        return self.leaderboard().to_frame()

    def plot(self, name: str | None = None, *, width: Width = "page") -> "Figure":
        """Draw the leaderboard, for a column or a page of a journal."""
        return self.leaderboard().plot(name, width=width)

    def __iter__(self) -> Iterator[ranking.Row]:
        return iter(self.leaderboard())

    def __repr__(self) -> str:
        try:
            methods = spec_labels(self.settings()["clusterers"]).of.values()
            cells = ", ".join(f"{count} {status}" for status, count in self.statuses().items())
            about = f"{self.folder}: {', '.join(methods)}; cells: {cells}"
        except HarnessError as error:
            about = str(error)
        return f"<Run {escape_line(about)}>"

    def _repr_html_(self) -> str:
        from harness.views.page import as_html
        from harness.views.tables import print_text

        try:
            return self.leaderboard()._repr_html_()
        except HarnessError as error:
            reason = str(error)
            return as_html(lambda console: print_text(console, reason))

    def _registry(self, plugins: Plugins) -> registry.Registry:
        """The components of installed packages, of the run's plugins and of more."""
        return registry.load(
            *recalled(self.folder, self.sessions(), [Path(path) for path in plugins])
        )
