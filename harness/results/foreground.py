"""How the clusters of a run agree with the objects on its images."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.analysis.agreement import FIGURES, MAP_TYPES, MethodAgreement
from harness.analysis.foreground import ForegroundAgreement
from harness.analysis.labels import method_labels
from harness.results.result import Result
from harness.store import frames

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure
    from rich.console import Console

    from harness.views.figures.intervals import Interval


@dataclass(frozen=True, repr=False)
class ForegroundResult(Result[MethodAgreement], ForegroundAgreement):
    """The agreement of a run's clusters with objects: the values are the means of each method.

    The frame has one row per map. `plot("ami")` shows one measure for every method, beside the
    baselines.
    """

    run: str

    def to_frame(self) -> "pandas.DataFrame":
        """Return a frame with one row per map."""
        return frames.of_rows([each.row() for each in self.maps], MAP_TYPES)

    def _items(self) -> Sequence[MethodAgreement]:
        return self.methods

    def _show(self, console: "Console") -> None:
        from harness.views.foreground import show

        show(self.run, self, console)

    def _drawings(self, width: float) -> Iterator[tuple[str, "Figure"]]:
        from harness.views.figures.intervals import interval_figure

        for name in FIGURES:
            if means := list(self._means(name)):
                title = f"agreement with the foreground, {self.foreground}"
                yield (
                    name,
                    interval_figure(means, title=title, axis=name.replace("_", " "), width=width),
                )

    def _means(self, name: str) -> Iterator["Interval"]:
        """A figure of every method's clusters, and of its baselines."""
        from harness.views.figures.intervals import Interval
        from harness.views.foreground import BASELINES

        labels = method_labels([each.method for each in self.methods])
        for label, method in zip(labels, self.methods, strict=True):
            if (found := method.figure(name)) is not None:
                baselines = [(BASELINES[each.name], each.mean) for each in found.baselines]
                for series, mean in [("clusters", found.mean), *baselines]:
                    yield Interval(label, series, mean.mean, mean.low, mean.high)
