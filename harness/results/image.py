"""One map of a run and its partitions, with the image and the weights that they are drawn on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.analysis.image import ImageReport, MethodReport
from harness.analysis.outcomes import stabilities
from harness.analysis.partitions import CELL_KEYS, TRUTH, StoredPartition
from harness.errors import HarnessError
from harness.metrics.partition import by_size
from harness.plugin.values import Integers
from harness.results.result import Result
from harness.store import frames

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure
    from rich.console import Console

    from harness.results.run import Plugins, Run
    from harness.views.show import NamedPartition, ShowContext

# The columns of the frame of an image, with their types.
SELECTED = {
    "clusterer": str, "selector": str, "status": str, "accepted": bool, "level": float,
    "threshold": float, "density": float, "modularity": float, "modularity_full": float,
    "control_modularity": float, "n_clusters": float, "coverage": float, "p_value": float,
    "jaccard": float, "reason": str,
}  # fmt: skip
OF_POINT = (
    "level", "threshold", "density", "modularity", "modularity_full", "n_clusters", "coverage",
)  # fmt: skip


@dataclass(frozen=True, repr=False, eq=False)
class ImageResult(Result[MethodReport], ImageReport):
    """One map of a run: the values are the results of each method on it.

    The frame has one row per method and selector, with the level that it selected. `plot()` shows
    the profiles, `plot("side-by-side")` the clusters.
    """

    run: "Run"

    def context(self, plugins: "Plugins" = ()) -> "ShowContext":
        """Load the image and the map's weights; remarks say why one cannot be loaded."""
        from harness.views.show import ShowContext

        image, weights, remarks = None, None, []
        if self.image_set and self.size is not None:
            try:
                image, _ = self.run.image(self.image_set, self.image, plugins)
            except HarnessError as error:
                remarks.append(f"Shown without the image: {error}")
        if self.nodes:
            try:
                weights = self.run.weights(self, alone=True).get(self.head)
            except HarnessError as error:
                remarks.append(f"Shown without the map's weights: {error}")
        return ShowContext(self, image, weights, remarks)

    def to_frame(self) -> "pandas.DataFrame":
        """Return a frame with one row per method and selector."""
        rows = [row for method in self.methods for row in _selected(method)]
        return frames.of_rows(rows, SELECTED)

    def _items(self) -> Sequence[MethodReport]:
        return self.methods

    def _show(self, console: "Console") -> None:
        from harness.views.show import show

        show(self.context(), console)

    def _drawings(self, width: float) -> Iterator[tuple[str, "Figure"]]:
        from harness.views.figures.image import figures

        context = self.context()
        heads = {} if context.weights is None else self.run.weights(self)
        return ((name, figure) for name, figure, _ in figures(context, heads, None, width))


def _selected(method: MethodReport) -> Iterator[dict[str, Any]]:
    """A row for each selection of a method; one without a level if there is none."""
    for selection in method.selections or (None,):
        row: dict[str, Any] = {"clusterer": method.clusterer, "status": method.status}
        row |= {"selector": "", "accepted": False, "reason": method.reason}
        if selection is not None:
            row |= {
                "selector": selection.selector,
                "accepted": selection.accepted,
                "p_value": selection.p_value,
                "jaccard": stabilities(selection.jaccards)["jaccard"],
                "reason": method.reason or selection.reason,
            }
            if (at := selection.candidate) is not None:
                point = method.profile.points[at]
                row |= {name: getattr(point, name) for name in OF_POINT}
                row["control_modularity"] = method.noise and method.noise.modularity[at]
        yield row


@dataclass(frozen=True, repr=False, eq=False)
class PartitionResult(Result[Integers], StoredPartition):
    """A partition of an image's attention: the values are the nodes of each cluster.

    The largest cluster is the first. The frame has one row per node, with its label and the number
    of its cluster. `plot()` shows the clusters on the image, or the map ordered by cluster.
    """

    run: "Run" = field(kw_only=True)

    def to_frame(self) -> "pandas.DataFrame":
        """Return a frame with one row per node."""
        rows = [
            {"node": node, "label": label, "cluster": number}
            for node, (label, number) in enumerate(
                zip(self.labels.tolist(), self.numbers.tolist(), strict=True)
            )
        ]
        return frames.of_rows(rows, {"node": int, "label": int, "cluster": int})

    def _items(self) -> Sequence[Integers]:
        return [np.flatnonzero(self.labels == label) for label in by_size(self.labels)]

    def _show(self, console: "Console") -> None:
        from harness.views.show import show_partition

        show_partition(self._context(), str(self), self._named(), console)

    def _drawings(self, width: float) -> Iterator[tuple[str, "Figure"]]:
        from harness.views.figures.image import partition_figures

        drawn = partition_figures(self._context(), [self._named()], width)
        return ((name, figure) for name, figure, _ in drawn)

    def _named(self) -> "NamedPartition":
        from harness.views.show import NamedPartition

        return NamedPartition(self.clusterer, self.numbers, accepted=self.accepted is not False)

    def _context(self) -> "ShowContext":
        keys = {key: getattr(self, column) for key, column in CELL_KEYS.items()}
        filters = {key: value for key, value in keys.items() if value not in ("", None)}
        of = () if self.clusterer == TRUTH else (self.clusterer,)
        return self.run.image_report(self.image, filters, of).context()
