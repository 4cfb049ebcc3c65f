"""What a clusterer did at every level of a map, and the level that a selector chose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from harness.plugin.values import Floats, Integers, read_only


@dataclass(frozen=True, eq=False)
class Point:
    """What one clusterer did with one map at one level.

    Attributes
    ----------
    level
        The graph's level on its builder's scale.
    threshold
        The smallest weight that an edge of the graph may have.
    density
        The graph's edges, as a fraction of the possible ones, 0 … 1.
    modularity, modularity_full
        Directed weighted modularity, at most 1, of the labels on the graph and on the unpruned
        map; NaN without edges. `modularity_full` and `z_modularity` are NaN for draws of
        perturbations.
    z_modularity
        Z-modularity (Miyauchi and Kawase 2016) on the map of ranks: the unpruned map with each
        weight replaced by its rank, 1 for the weakest.
    n_clusters
        Number of clusters of at least two nodes.
    coverage
        Fraction of the nodes that are assigned.
    largest_component_fraction
        Fraction of the nodes in the graph's largest weakly connected component.
    isolated_fraction
        Fraction of the nodes that are isolated in the graph.
    jaccard_previous
        Mean best-match Jaccard index with the partition at the level before; NaN at the first.
    seconds
        The clusterer's own time; 0 if the graph has the edges of the level before.
    labels : ndarray of int64, shape (n,)
        Cluster of each node; −1 means unassigned.
    diagnostics, warnings
        What the clusterer returned with the labels, and the warnings that it raised.

    Examples
    --------
    >>> rest = (0.4, 0.2, 0.1, 2, 1.0, 1.0, 0.0, np.nan, 0.01, np.zeros(4))
    >>> harness.Point(0.9, 0.1, 0.1, *rest).level
    0.9
    """

    level: float
    threshold: float
    density: float
    modularity: float
    modularity_full: float
    z_modularity: float
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
    """The points of one clusterer on one map, by increasing level: the input of selectors.

    `len` gives the number of levels, and `column` any number of all points, by its name.

    Parameters
    ----------
    points
        One `Point` per level; later ones are of sparser graphs.

    Attributes
    ----------
    levels, modularity : ndarray of float64, shape (levels,)
        These fields of the points.
    n_clusters : ndarray of int64, shape (levels,)
        Number of clusters of at least two nodes.
    labels : ndarray of int64, shape (levels, n)
        Cluster of each node at each level; −1 means unassigned.

    Examples
    --------
    >>> rest = (0.1, 0.1, 0.4, 0.2, 0.1, 2, 1.0, 1.0, 0.0, np.nan, 0.01, np.array([0, 0, 1, 1]))
    >>> profile = harness.Profile([harness.Point(level, *rest) for level in (0.5, 0.9)])
    >>> profile.levels, profile.column("coverage")
    (array([0.5, 0.9]), array([1., 1.]))
    """

    points: Sequence[Point]

    def column(self, name: str) -> Floats:
        """Return a field of every point, by its name, as floats (levels,)."""
        if name not in self._columns:
            figures = [getattr(point, name) for point in self.points]
            self._columns[name] = read_only(np.array(figures, dtype=np.float64))
        return self._columns[name]

    @cached_property
    def _columns(self) -> dict[str, Floats]:
        # Selectors read the profiles of all a group's controls for each of its maps.
        return {}

    def __len__(self) -> int:
        return len(self.points)

    @cached_property
    def levels(self) -> Floats:
        """The level of each point, (levels,)."""
        return self.column("level")

    @cached_property
    def modularity(self) -> Floats:
        """Directed weighted modularity on each level's graph, (levels,)."""
        return self.column("modularity")

    @cached_property
    def n_clusters(self) -> Integers:
        """Number of clusters of at least two nodes at each level, (levels,)."""
        return self.column("n_clusters").astype(np.int64)

    @cached_property
    def labels(self) -> Integers:
        """Labels (levels, n)."""
        return read_only(np.array([point.labels for point in self.points], dtype=np.int64))


@dataclass(frozen=True)
class Selection:
    """The level that a selector chose, and why.

    Parameters
    ----------
    candidate
        Index of the level in the profile, from 0, whether or not it is accepted.
    statistic
        The number that is compared with those of controls; larger means more structure. Numbers
        that differ only by rounding are equal (`harness.exceeds`).
    accepted
        Whether the selector finds structure; if True, the statistic must be finite.
    plateau
        First and last index of the stable levels around the candidate, if the rule uses such
        levels.
    reason
        The reason, in a few words for a table.

    Examples
    --------
    >>> harness.Selection(3, 0.41, accepted=True)
    Selection(candidate=3, statistic=0.41, accepted=True, plateau=None, reason='')
    """

    candidate: int
    statistic: float
    accepted: bool
    plateau: tuple[int, int] | None = None
    reason: str = ""
