"""The effects of removing clusters from one image, compared with random patches."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from harness.metrics.ablation import Effect
from harness.views.figures.intervals import Interval, interval_figure
from harness.views.figures.style import PAGE


def effect_dots(
    effects: Sequence[tuple[str, Effect]], *, title: str, what: str, width: float = PAGE
) -> Figure:
    """One row per named effect: a dot for its first figure, and the intervals of chance."""
    return interval_figure(
        [each for name, effect in effects for each in _of_effect(name, effect)],
        title=title,
        axis=what,
        zero=True,
        width=width,
    )


def _of_effect(name: str, effect: Effect) -> Sequence[Interval]:
    chances = {
        "as many random patches: mean, 95 %": effect.random,
        "as many random contiguous patches: mean, 95 %": effect.contiguous,
    }
    return [
        Interval(name, "removed", effect.first),
        *(
            Interval(name, series, chance.first, chance.low, chance.high)
            for series, chance in chances.items()
        ),
    ]
