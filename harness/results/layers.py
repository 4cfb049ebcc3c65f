"""How the attention of a run clusters by layer and head, and how similar the clusters are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, TypeVar

from harness.analysis.labels import method_labels
from harness.analysis.layers import HeadRow, LayerRow, MethodLayers, flat_row, flat_row_types
from harness.analysis.method import grouped
from harness.results.result import Result
from harness.store import frames

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure
    from rich.console import Console

R = TypeVar("R", HeadRow, LayerRow)


@dataclass(frozen=True, repr=False)
class DepthRows(Result[R], Generic[R]):
    """The leaderboard's numbers for parts of a model; caveats of the reference control, by spec."""

    per: ClassVar[Literal["head", "layer"]]
    row_type: ClassVar[type[HeadRow] | type[LayerRow]]
    run: str
    rows: Sequence[R]
    caveats: Mapping[str, str]

    def to_frame(self) -> "pandas.DataFrame":
        """Return a frame with one row per method and head, or layer."""
        types = flat_row_types(self.row_type, self.rows)
        return frames.of_rows(list(map(flat_row, self.rows)), types)

    def _items(self) -> Sequence[R]:
        return self.rows

    def _show(self, console: "Console") -> None:
        from harness.views.leaderboard import show_per

        show_per(self.per, [(self.run, self.rows, self.caveats)], console)

    def _by_method(self) -> Mapping[str, Sequence[R]]:
        methods = grouped(self.rows, lambda row: row.method)
        return dict(zip(method_labels(list(methods)), methods.values(), strict=True))


class HeadRows(DepthRows[HeadRow]):
    """The numbers of every method on every head, the best heads first."""

    per = "head"
    row_type = HeadRow

    def _drawings(self, width: float) -> Iterator[tuple[str, "Figure"]]:
        from harness.views.figures.layers import head_drawings

        return head_drawings(self._by_method(), width)


class LayerRows(DepthRows[LayerRow]):
    """The numbers of every method on every layer, by depth."""

    per = "layer"
    row_type = LayerRow

    def _drawings(self, width: float) -> Iterator[tuple[str, "Figure"]]:
        from harness.views.figures.layers import depth_drawings

        return depth_drawings(self._by_method(), width)


@dataclass(frozen=True, repr=False, eq=False)
class Layers(Result[MethodLayers]):
    """Every method by layer and head, and how similar its clusters are between them.

    The frame has one row per method and layer.
    """

    run: str
    methods: Sequence[MethodLayers]

    def to_frame(self) -> "pandas.DataFrame":
        """Return a frame with one row per method and layer."""
        rows = [row for method in self.methods for row in method.layers]
        return frames.of_rows(list(map(flat_row, rows)), flat_row_types(LayerRow, rows))

    def _items(self) -> Sequence[MethodLayers]:
        return self.methods

    def _show(self, console: "Console") -> None:
        from harness.views.layers import show

        show(self.run, self.methods, console)

    def _drawings(self, width: float) -> Iterator[tuple[str, "Figure"]]:
        from harness.views.figures.layers import drawings

        return drawings(self.methods, width)
