"""Runs that are written by hand, to rank their methods."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from harness.analysis.leaderboard import Row, comparisons, ranked
from harness.metrics.selection_bias import SelectionBias
from harness.metrics.significance import significance
from harness.planning.plan import PlannedCell, PlannedMap
from harness.plugin.profile import Point, Selection
from harness.plugin.values import FIRST_HEAD, OBSERVED, Variant
from harness.store import Store
from harness.store.records import CellRecord, ControlRecord, SelectionRecord, StabilityRecord
from harness.store.selections import replace_selections, replace_stabilities

NOISE = Variant("control", "uniform-noise", 0)


def point(modularity: float, jaccard: float = 0.9) -> Point:
    return Point(
        level=0.0,
        threshold=0.0,
        density=1.0,
        modularity=modularity,
        modularity_full=modularity / 2,
        z_modularity=modularity / 2,
        n_clusters=2,
        coverage=1.0,
        largest_component_fraction=1.0,
        isolated_fraction=0.0,
        jaccard_previous=jaccard,
        seconds=0.5,
        labels=np.array([0, 0, 1, 1]),
    )


class Bench:
    """Writes a run by hand: one call a cell, then the ranking is taken."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.cells: list[PlannedCell] = []
        self.selections: list[SelectionRecord] = []
        self.stabilities: list[StabilityRecord] = []

    def cell(
        self,
        clusterer: str,
        image: str,
        modularities: Sequence[float] = (),
        *,
        variant: Variant = OBSERVED,
        candidate: int = 0,
        accepted: bool = True,
        plateau: tuple[int, int] | None = None,
        status: str = "ok",
        nulls: Sequence[float] = (0.0,),
        bias: float = 0.0,
        single_bias: float | None = None,
        jaccards: Mapping[str, float] | None = None,
        repeat: int = 0,
    ) -> None:
        key = f"{clusterer}-{image}-{variant.name}-{variant.draw}"
        if repeat:
            key += f"-{repeat}"
        observed = "" if variant == OBSERVED else f"{clusterer}-{image}--0"
        planned = PlannedMap(
            key, "set", image, image, "vit", FIRST_HEAD, variant, observed=observed
        )
        self.cells.append(PlannedCell(key, planned, "threshold", clusterer, repeat, 0))
        points = [point(modularity) for modularity in modularities]
        self.store.write_cells([CellRecord(key, status, points=points)])
        if variant == OBSERVED and status == "ok":
            selection = Selection(candidate, 0.0, accepted, plateau, "")
            biases = SelectionBias(bias, bias if single_bias is None else single_bias)
            tested = ControlRecord(significance(0.0, nulls), [-1] * len(nulls), biases)
            tests = {"uniform-noise": tested}
            self.selections.append(SelectionRecord(key, "chosen", selection, tests=tests))
            self.stabilities += [
                StabilityRecord(key, "chosen", kind, 1, jaccard, -1, 0, math.nan)
                for kind, jaccard in (jaccards or {}).items()
            ]

    def rows(self, by: str | None = None) -> list[Row]:
        self.store.write_plan({"selectors": ["chosen"]}, {}, [], self.cells)
        replace_selections(self.store, self.selections, ["chosen"])
        replace_stabilities(self.store, self.stabilities)
        return ranked(comparisons(self.store), by)
