"""What a clusterer did at every level of a map, and the level that a selector chose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from harness.plugin.values import Floats, Integers, read_only


@dataclass(frozen=True, eq=False)
class Point:
    """What one clusterer did with one map at one level.

    modularity is of the pruned graph, modularity_full the same labels' on the unpruned map;
    coverage is the share of assigned nodes; n_clusters counts clusters of two nodes or more;
    jaccard_previous compares with the level before (NaN at the first); seconds is the
    clusterer's own time.
    """

    level: float
    threshold: float
    density: float
    modularity: float
    modularity_full: float
    n_clusters: int
    coverage: float
    largest_component_fraction: float
    isolated_fraction: float
    jaccard_previous: float
    seconds: float
    labels: Integers
    diagnostics: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Profile:
    """Every level's point of one clusterer on one map; columns are arrays (levels,).

    Levels increase: later points are of sparser graphs.
    """

    points: Sequence[Point]

    def column(self, name: str) -> Floats:
        """One figure of all points as floats (levels,); `name` is a field of Point."""
        if name not in self._columns:
            figures = [getattr(point, name) for point in self.points]
            self._columns[name] = read_only(np.array(figures, dtype=np.float64))
        return self._columns[name]

    @cached_property
    def _columns(self) -> dict[str, Floats]:
        # Selectors look at every null of a group for every one of its maps.
        return {}

    def __len__(self) -> int:
        return len(self.points)

    @cached_property
    def levels(self) -> Floats:
        """Where on the builder's axis each point lies."""
        return self.column("level")

    @cached_property
    def modularity(self) -> Floats:
        """Directed weighted modularity on each level's pruned graph."""
        return self.column("modularity")

    @cached_property
    def n_clusters(self) -> Integers:
        """Clusters of at least two nodes at each level."""
        return self.column("n_clusters").astype(np.int64)

    @cached_property
    def labels(self) -> Integers:
        """Labels (levels, n)."""
        return read_only(np.array([point.labels for point in self.points], dtype=np.int64))


@dataclass(frozen=True)
class Selection:
    """The level a selector chose, as an index into the profile, and why.

    A candidate and its statistic always exist; accepted is False where the selector holds that
    there is no structure. plateau is the (first, last) index of the stable phase, if any.
    """

    candidate: int
    statistic: float
    accepted: bool
    plateau: tuple[int, int] | None
    reason: str
