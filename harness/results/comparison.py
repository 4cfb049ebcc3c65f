"""Two runs compared, method by method."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.analysis.columns import heading_of
from harness.analysis.comparison import METRICS, PairedMethod, PairedMetric, PairedRuns
from harness.analysis.labels import method_labels
from harness.analysis.method import flat_types, flatten
from harness.errors import HarnessError
from harness.results.result import Result
from harness.store import frames

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure
    from rich.console import Console


@dataclass(frozen=True, repr=False)
class RunComparison(Result[PairedMethod], PairedRuns):
    """Two runs and how they differ: the values are the methods.

    The frame has one row per method and metric; its columns are the fields of PairedMethod and
    PairedMetric in `harness.analysis.comparison`. Differences are the second run's values
    minus the first's. `plot("effect")` shows one metric.
    """

    def to_frame(self) -> "pandas.DataFrame":
        """Return a frame with one row per method and metric; HarnessError if nothing is paired."""
        if not self.paired:
            raise HarnessError(
                f"{self.first} and {self.second}: nothing is paired: no image or map has the "
                "same method in both"
            )
        methods = map(flatten, self.methods)
        rows = [{**method, **metric} for method in methods for metric in method["metrics"]]
        return frames.of_rows(rows, {**flat_types(PairedMethod), **flat_types(PairedMetric)})

    def _items(self) -> Sequence[PairedMethod]:
        return self.methods

    def _show(self, console: "Console") -> None:
        from harness.views.comparison import show

        show(self, console)

    def _drawings(self, width: float) -> Iterator[tuple[str, "Figure"]]:
        from harness.views.figures.intervals import Interval, interval_figure

        names = method_labels([each.method for each in self.methods])
        for name in METRICS:
            changes = [
                Interval(label, "", metric.difference, metric.low, metric.high)
                for label, method in zip(names, self.methods, strict=True)
                for metric in method.metrics
                if metric.metric == name and metric.difference is not None
            ]
            if changes:
                title = f"{self.second} less {self.first}"
                axis = f"change of {heading_of(name)}, 95 % interval"
                yield name, interval_figure(changes, title=title, axis=axis, zero=True, width=width)
