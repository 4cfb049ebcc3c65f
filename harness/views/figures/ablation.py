"""What removing clusters does to a logit, beside removing as many other patches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.views.figures.style import NOISE, colour, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# One that nobody can miss for the observed one, and two for chance.
CHANCE = (("random patches", NOISE, -0.16), ("random contiguous patches", "#B08FC7", 0.16))


@dataclass(frozen=True)
class EffectBar:
    """The signed change of a logit where a group of patches is removed.

    random and contiguous: mean, low and high over draws of as many other patches.
    """

    name: str
    change: float
    random: tuple[float, float, float]
    contiguous: tuple[float, float, float]


def logit_changes(effects: Sequence[EffectBar], *, title: str, what: str) -> "Figure":
    """One row an effect: a bar for the change, intervals for chance; `what` names the axis."""
    with style():
        figure, ((panel,),) = new_figure(1, 1, 6.8, 1.9 + 0.5 * len(effects), title)
        for place, effect in enumerate(effects):
            panel.barh(
                place, effect.change, height=0.62, color=colour(0), alpha=0.8,
                label="removed" if not place else None,
            )  # fmt: skip
            for (name, tint, offset), (mean, low, high) in zip(
                CHANCE, (effect.random, effect.contiguous), strict=True
            ):
                panel.plot([low, high], [place + offset] * 2, color=tint, linewidth=3)
                panel.plot(
                    mean, place + offset, marker="o", color=tint, markeredgecolor="black",
                    linestyle="none", label=f"as many {name}: mean, 95 %" if not place else None,
                )  # fmt: skip
        panel.axvline(0, color="black", linewidth=0.8)
        panel.set_yticks(range(len(effects)), [effect.name for effect in effects])
        panel.invert_yaxis()
        panel.set_xlabel(what)
        figure.legend(loc="outside lower center", ncols=2, fontsize=8)
        return figure
