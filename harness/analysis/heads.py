"""Which heads and layers cluster: every method on every head, and on every layer, apart."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from harness.analysis.leaderboard import Row, row_of
from harness.analysis.outcomes import Outcome, outcomes
from harness.metrics.inference import bootstrap_intervals
from harness.store import Store, none_for_nan

# Of a row of the leaderboard, what tells of methods beside each other, or control by control.
NOT_OF_A_SLOT = ("rank", "tier", "mean_rank", "controls")


@dataclass(frozen=True)
class HeadRow:
    """What a method reached on one head of a layer: `figures` are those of the leaderboard.

    They are over the images of this head alone; rank, tier and mean_rank are none.
    """

    layer: int
    head: int
    figures: Row

    @property
    def significant_share(self) -> float | None:
        """The share of the head's maps with a result that are more than the control shows."""
        return _share(self.figures.significant, self.figures.ok)

    def flat(self) -> Mapping[str, Any]:
        """Layer, head, the share that is significant, and the figures, in one mapping."""
        place = {"layer": self.layer, "head": self.head}
        return {**place, **_flat(self.figures), "significant_share": self.significant_share}


@dataclass(frozen=True)
class LayerRow:
    """What a method reached on all heads of a layer: `figures` are those of the leaderboard.

    They are over the maps of images × heads of this layer. Every interval is by bootstrap over
    images, all heads of one together: heads are no independent evidence. That of excess, in
    `figures`, is over images of which every head has a result.
    """

    layer: int
    heads: int
    figures: Row
    modularity_interval: tuple[float | None, float | None]
    n_clusters_interval: tuple[float | None, float | None]
    jaccard_interval: tuple[float | None, float | None]

    @property
    def found_share(self) -> float | None:
        """The share of the layer's maps with a result on which a level was accepted."""
        return _share(self.figures.accepted, self.figures.ok)

    @property
    def significant_share(self) -> float | None:
        """The share of the layer's maps with a result that are more than the control shows."""
        return _share(self.figures.significant, self.figures.ok)

    def flat(self) -> Mapping[str, Any]:
        """Layer, its count of heads, the shares, the figures and intervals, in one mapping."""
        intervals = {
            f"{name}_{side}": bound
            for name in ("modularity", "n_clusters", "jaccard")
            for side, bound in zip(("low", "high"), getattr(self, f"{name}_interval"), strict=True)
        }
        return {
            "layer": self.layer,
            "heads": self.heads,
            **_flat(self.figures),
            **intervals,
            "found_share": self.found_share,
            "significant_share": self.significant_share,
        }


def by_head(store: Store) -> list[HeadRow]:
    """A row for each method and head of a run: methods as planned, the best heads of each first.

    The best are those of the largest excess modularity, or of modularity where there is no control.
    """
    controls = store.controls()
    return [
        row
        for of_method in _by_method(outcomes(store)).values()
        for row in sorted(slot_rows(of_method, controls), key=_best_first)
    ]


def by_layer(store: Store) -> list[LayerRow]:
    """A row for each method and layer of a run: methods as planned, layers by their depth."""
    controls = store.controls()
    return [
        row
        for of_method in _by_method(outcomes(store)).values()
        for row in layer_rows(of_method, controls)
    ]


def slot_rows(of_method: Iterable[Outcome], controls: Sequence[str]) -> list[HeadRow]:
    """A row for each head of one method, by layer and head."""
    head_indices: dict[tuple[int, int], list[Outcome]] = {}
    for outcome in of_method:
        head_indices.setdefault((outcome.layer, outcome.head), []).append(outcome)
    return [
        HeadRow(*head_index, row_of(found, controls))
        for head_index, found in sorted(head_indices.items())
    ]


def layer_rows(of_method: Iterable[Outcome], controls: Sequence[str]) -> list[LayerRow]:
    """A row for each layer of one method, by depth."""
    layers: dict[int, list[Outcome]] = {}
    for outcome in of_method:
        layers.setdefault(outcome.layer, []).append(outcome)
    return [_layer_row(layer, found, controls) for layer, found in sorted(layers.items())]


def _by_method(found: Iterable[Outcome]) -> dict[tuple[str, ...], list[Outcome]]:
    methods: dict[tuple[str, ...], list[Outcome]] = {}
    for outcome in found:
        methods.setdefault(outcome.method, []).append(outcome)
    return methods


def _layer_row(layer: int, found: Sequence[Outcome], controls: Sequence[str]) -> LayerRow:
    ok = [each for each in found if each.ok]
    accepted = [each for each in ok if each.accepted]
    return LayerRow(
        layer,
        len({each.head for each in found}),
        row_of(found, controls),
        _interval(ok, lambda each: each.modularity),
        _interval(accepted, lambda each: each.n_clusters),
        _interval(accepted, lambda each: each.jaccard),
    )


def _interval(
    found: Iterable[Outcome], figure: Callable[[Outcome], float | None]
) -> tuple[float | None, float | None]:
    """The bootstrap interval over images of the mean of a figure over maps."""
    by_image: dict[str, list[float]] = {}
    for each in found:
        value = figure(each)
        if value is not None:
            by_image.setdefault(each.image, []).append(value)
    values = list(by_image.values())
    sums = np.array([[sum(of_image)] for of_image in values], dtype=np.float64)
    counts = np.array([[len(of_image)] for of_image in values], dtype=np.float64)
    (low,), (high,) = bootstrap_intervals(sums.reshape(-1, 1), counts.reshape(-1, 1))
    return none_for_nan(float(low)), none_for_nan(float(high))


def _flat(figures: Row) -> dict[str, Any]:
    flat = asdict(figures)
    for name in NOT_OF_A_SLOT:
        del flat[name]
    return flat


def _share(part: int | None, whole: int) -> float | None:
    return None if part is None or not whole else part / whole


def _best_first(row: HeadRow) -> tuple[bool, float, int, int]:
    figures = row.figures
    score = figures.modularity if figures.excess is None else figures.excess
    return score is None, -(score or 0.0), row.layer, row.head
