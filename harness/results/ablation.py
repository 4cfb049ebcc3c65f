"""How removing the clusters of a run changes the model's output."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.analysis.ablation import Ablation, ImageAblation
from harness.results.result import Result
from harness.store import frames

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure
    from rich.console import Console

    from harness.views.figures.intervals import Interval


@dataclass(frozen=True, repr=False)
class AblationResult(Result[ImageAblation], Ablation):
    """The effects of removing clusters: the values are those on each image.

    The frame has one row per set of patches that was removed. `plot()` shows the means over several
    images beside chance, `plot(IMAGE)` the effects on one.
    """

    run: str

    def to_frame(self) -> "pandas.DataFrame":
        """Return a frame with one row per image and set of patches."""
        from harness.views.ablation import COLUMNS, OF_CLASSES, flat_rows

        rows, known = flat_rows(self), {**COLUMNS, **OF_CLASSES}
        names = dict.fromkeys([*(name for row in rows for name in row)] or COLUMNS)
        return frames.of_rows(rows, {name: known.get(name, float) for name in names})

    def _items(self) -> Sequence[ImageAblation]:
        return self.images

    def _show(self, console: "Console") -> None:
        from harness.views.ablation import show

        show(self.run, self, console, each=False)

    def _drawings(self, width: float) -> Iterator[tuple[str, "Figure"]]:
        from harness.views.ablation import removed
        from harness.views.figures.ablation import effect_dots
        from harness.views.figures.intervals import interval_figure

        if means := list(self._means()):
            figure = self.contrasts[0].figure
            title = f"{self.partition} removed, over images"
            yield (
                "contrasts",
                interval_figure(means, title=title, axis=figure, zero=True, width=width),
            )
        for image in self.images:
            named = [(removed(each), each) for each in image.effects]
            figure, title = next(iter(image.effects[0].figures)), f"{image.image}: clusters removed"
            yield (
                image.image,
                effect_dots(named, title=title, what=f"change of the {figure}", width=width),
            )

    def _means(self) -> Iterator["Interval"]:
        """The first figure over images, of clusters and of as many random patches."""
        from harness.views.ablation import TITLES
        from harness.views.figures.intervals import Interval

        for each in self.contrasts:
            if each.figure == self.contrasts[0].figure:
                for series in ("clusters", "random", "contiguous"):
                    mean = getattr(each, series)
                    yield Interval(TITLES[each.removed], series, mean.mean, mean.low, mean.high)
