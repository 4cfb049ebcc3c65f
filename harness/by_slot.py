"""Which heads cluster: every method on every head of every layer apart."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from harness.outcomes import Outcome, outcomes
from harness.ranking import Row, row_of
from harness.store import Store

# Of a row of the leaderboard, what tells of methods beside each other, or control by control.
NOT_OF_A_SLOT = ("rank", "tier", "mean_rank", "controls")


@dataclass(frozen=True)
class SlotRow:
    """What a method reached on one head of a layer: `figures` are those of the leaderboard.

    They are over the images of this head alone; rank, tier and mean_rank are none.
    """

    layer: int
    head: int
    figures: Row

    @property
    def significant_share(self) -> float | None:
        """The share of the head's maps with a result that are more than the control shows."""
        if self.figures.significant is None or not self.figures.ok:
            return None
        return self.figures.significant / self.figures.ok

    def flat(self) -> Mapping[str, Any]:
        """Layer, head, the share that is significant, and the figures, in one mapping."""
        figures = asdict(self.figures)
        for name in NOT_OF_A_SLOT:
            del figures[name]
        place = {"layer": self.layer, "head": self.head}
        return {**place, **figures, "significant_share": self.significant_share}


def by_slot(store: Store) -> list[SlotRow]:
    """A row for each method and slot of a run: methods as planned, the best heads of each first.

    The best are those of the largest excess modularity, or of modularity where there is no control.
    """
    found: dict[tuple[str, ...], dict[tuple[int, int], list[Outcome]]] = {}
    for outcome in outcomes(store):
        slots = found.setdefault(outcome.method, {})
        slots.setdefault((outcome.layer, outcome.head), []).append(outcome)
    controls = store.controls()
    return [
        row
        for slots in found.values()
        for row in sorted(
            (SlotRow(*slot, row_of(observed, controls)) for slot, observed in slots.items()),
            key=_best_first,
        )
    ]


def _best_first(row: SlotRow) -> tuple[bool, float, int, int]:
    figures = row.figures
    score = figures.modularity if figures.excess is None else figures.excess
    return score is None, -(score or 0.0), row.layer, row.head
