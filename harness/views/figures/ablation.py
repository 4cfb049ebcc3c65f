"""The effects of removing clusters from one image, compared with random patches."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.metrics.ablation import Chance, Effect
from harness.views.colours import NOISE, colour
from harness.views.figures.style import legend_below, new_figure, style

# Names, colours and offsets of both kinds of chance.
CHANCE = (("random patches", NOISE, -0.16), ("random contiguous patches", "#B08FC7", 0.16))


@style()
def effect_bars(effects: Sequence[tuple[str, Effect]], *, title: str, what: str) -> Figure:
    """One row per named effect: a bar for its first figure, and the intervals of chance."""
    figure, ((panel,),) = new_figure(1, 1, 6.8, 1.9 + 0.5 * len(effects), title)
    for row, (_, effect) in enumerate(effects):
        panel.barh(
            row, effect.first, height=0.62, color=colour(0), alpha=0.8,
            label="removed" if not row else None,
        )  # fmt: skip
        for kind, chance in zip(CHANCE, (effect.random, effect.contiguous), strict=True):
            _draw_chance(panel, row, *kind, chance)
    panel.axvline(0, color="black", linewidth=0.8)
    panel.set_yticks(range(len(effects)), [name for name, _ in effects])
    panel.invert_yaxis()
    panel.set_xlabel(what)
    legend_below(figure, [panel], 2)
    return figure


def _draw_chance(
    panel: Axes, row: int, name: str, tint: str, offset: float, chance: Chance
) -> None:
    panel.plot([chance.low, chance.high], [row + offset] * 2, color=tint, linewidth=3)
    panel.plot(
        chance.first, row + offset, marker="o", color=tint, markeredgecolor="black",
        linestyle="none", label=f"as many {name}: mean, 95 %" if not row else None,
    )  # fmt: skip
