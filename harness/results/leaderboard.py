"""The ranked methods of a run, the tests between them, and what their tests found."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.analysis.board import Board
from harness.analysis.labels import method_labels
from harness.analysis.leaderboard import Comparison, MethodPair, Row, column_types, flattened
from harness.analysis.method import flat_types
from harness.analysis.verdicts import Verdict
from harness.metrics.reach import Reach
from harness.results.result import Result
from harness.store import frames

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure
    from rich.console import Console


@dataclass(frozen=True, repr=False)
class Leaderboard(Result[Row], Board):
    """The methods of a run, best first: the values are rows, and `plot()` shows their effects.

    The frame has one row per method. It holds rank, tier, specs, means over maps (modularity,
    effect, jaccard, n_clusters, coverage, p_value, seconds), and how many maps are accepted,
    significant, ok and in total. Each score that `Run.score` computed has its mean over accepted
    maps (`conductance`), that of the reference control (`conductance_control`), the mean difference
    (`conductance_difference`), and how many maps have one (`conductance_maps`).
    """

    def to_frame(self) -> "pandas.DataFrame":
        """Return a frame with one row per method."""
        return frames.of_rows(list(map(flattened, self.rows)), column_types(self.rows))

    def _items(self) -> Sequence[Row]:
        return self.rows

    def _show(self, console: "Console") -> None:
        from harness.views.leaderboard import show

        show([self], console)

    def _drawings(self, width: float) -> Iterator[tuple[str, "Figure"]]:
        from harness.views.figures.intervals import Interval, interval_figure

        names = method_labels([row.method for row in self.rows])
        has_effect = any(row.effect is not None for row in self.rows)
        scores = [
            Interval(name, "", row.score, row.effect_low, row.effect_high)
            for name, row in zip(names, self.rows, strict=True)
        ]
        axis = "effect on modularity, 95 % interval" if has_effect else "modularity Q"
        if scores:
            yield (
                "scores",
                interval_figure(scores, title=self.run, axis=axis, zero=has_effect, width=width),
            )


@dataclass(frozen=True, repr=False)
class Comparisons(Result[Comparison]):
    """The tests between the methods, for each set of images or maps.

    The frame has one row per pair of methods, with the omnibus test of their set.
    """

    comparisons: Sequence[Comparison]

    def to_frame(self) -> "pandas.DataFrame":
        """Return a frame with one row per pair of methods."""
        of_set = {"image_set": str, "images": int, "ranked": int, "omnibus": float}
        rows = [
            {**{name: getattr(each, name) for name in of_set}, **vars(pair)}
            for each in self.comparisons
            for pair in each.pairs
        ]
        return frames.of_rows(rows, {**of_set, **flat_types(MethodPair)})

    def _items(self) -> Sequence[Comparison]:
        return self.comparisons

    def _show(self, console: "Console") -> None:
        from harness.views.leaderboard import show_comparisons

        show_comparisons(self.comparisons, console)

    def _drawings(self, width: float) -> Iterator[tuple[str, "Figure"]]:
        from harness.views.figures.intervals import Interval, interval_figure

        axis = "wins of the first less its losses, −1 … 1"
        for each in self.comparisons:
            if pairs := [
                Interval(f"{one.first} – {one.second}", "", one.wins) for one in each.pairs
            ]:
                yield (
                    each.image_set,
                    interval_figure(pairs, title=each.image_set, axis=axis, zero=True, width=width),
                )


@dataclass(frozen=True, repr=False)
class Verdicts(Result[Verdict]):
    """The results of a run's tests, for each selector and control.

    The frame has one row per verdict, with the number of tests and the draws that they have.
    """

    verdicts: Sequence[Verdict]

    def to_frame(self) -> "pandas.DataFrame":
        """Return a frame with one row per selector and control."""
        types: Mapping[str, Any] = {**flat_types(Verdict), **flat_types(Reach)}
        rows = [{**vars(each), **vars(each.reach)} for each in self.verdicts]
        return frames.of_rows(rows, {name: types[name] for name in types if name != "reach"})

    def _items(self) -> Sequence[Verdict]:
        return self.verdicts

    def _show(self, console: "Console") -> None:
        from harness.views.leaderboard import show_verdicts

        show_verdicts(self.verdicts, console)

    def _drawings(self, width: float) -> Iterator[tuple[str, "Figure"]]:
        from harness.views.figures.intervals import Interval, interval_figure

        counts = [
            Interval(f"{each.selector}, {each.control}", series, float(count))
            for each in self.verdicts
            for series, count in (
                ("significant", each.significant),
                ("at the smallest p", each.at_smallest),
                ("there by chance", each.by_chance),
            )
        ]
        if counts:
            yield (
                "tests",
                interval_figure(counts, title="what the tests found", axis="tests", width=width),
            )
