"""Plans of cells, and points of them, as tests of the store write them."""

import math

import numpy as np

from harness.planning.plan import PlannedCell, PlannedMap
from harness.plugin.profile import Point
from harness.plugin.values import FIRST_HEAD, OBSERVED, Variant
from harness.store import Store


def point(level: float, jaccard: float = 0.5) -> Point:
    return Point(
        level=level,
        threshold=0.1,
        density=1 - level,
        modularity=0.3 + level,
        modularity_full=math.nan,
        z_modularity=math.nan,
        n_clusters=2,
        coverage=0.75,
        largest_component_fraction=1.0,
        isolated_fraction=0.25,
        jaccard_previous=jaccard,
        seconds=0.01,
        labels=np.array([0, 1, 0, -1]),
        diagnostics={"gap": 1e-9, "lost": math.inf},
        warnings=("slow",),
    )


class Bench:
    """Writes plans of cells."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.cells: list[PlannedCell] = []

    def plan(self, clusterer: str, image: str, control: str = "", key: str = "") -> None:
        map_key = f"{image}-{control}"
        variant = Variant("control", control) if control else OBSERVED
        observed = f"{image}-" if control else ""
        planned = PlannedMap(
            map_key, "set", image, image, "vit", FIRST_HEAD, variant, observed=observed
        )
        name = key or f"{clusterer} {map_key}"
        self.cells.append(PlannedCell(name, planned, "threshold", clusterer, 0, len(self.cells)))
        self.store.write_plan({"selectors": ["chosen[a=1]"]}, {}, [], self.cells)
