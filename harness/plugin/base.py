"""The base classes of what is done with attention maps: builders, clusterers and selectors.

The examples assume `import harness`, `import numpy as np` and
`from dataclasses import dataclass`.
"""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from harness.plugin import conversion
from harness.plugin.component import Component
from harness.plugin.graph import Graph, Partition
from harness.plugin.profile import Profile, Selection
from harness.plugin.values import AttentionMap, Floats


class GraphBuilder(Component):
    """A family of graphs for every map, sparser as the level rises.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Absolute(harness.GraphBuilder):
    ...     name = "absolute"
    ...     stop: float = 0.1
    ...     def levels(self, attention, count):
    ...         return np.linspace(0.0, self.stop, count)
    ...     def build(self, attention, levels):
    ...         for level in levels.tolist():
    ...             yield harness.Graph.from_weights(
    ...                 attention.weights, threshold=level, level=level
    ...             )
    >>> [graph.edges for graph in Absolute().build(np.full((3, 3), 0.05), np.array([0.0, 0.1]))]
    [6, 0]
    """

    kind = "graph builder"
    _converted: ClassVar[conversion.Conversions] = {
        "levels": conversion.as_attention,
        "build": conversion.as_attention,
    }

    @abstractmethod
    def levels(self, attention: AttentionMap, count: int) -> Floats:
        """Return the levels at which a map is pruned.

        They may depend on the number of patches, but not on weights: a map and its controls are
        compared level by level.

        Parameters
        ----------
        attention
            The map.
        count
            The number of levels.

        Returns
        -------
        ndarray of float64, shape (count,)
            Increasing, finite levels.
        """

    @abstractmethod
    def build(self, attention: AttentionMap, levels: Floats) -> Iterator[Graph]:
        """Yield one graph per level, in the order of the levels.

        Parameters
        ----------
        attention
            The map, with weights (n, n); it must not be changed.
        levels : ndarray of float64, shape (count,)
            Increasing levels, as `levels` returns them.

        Yields
        ------
        Graph
            Of n nodes, with its `level`.
        """


class Clusterer(Component):
    """A method that divides the nodes of a graph into clusters.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Components(harness.Clusterer):
    ...     name = "components"
    ...     smallest: int = 2
    ...     def cluster(self, graph, *, seed):
    ...         sizes = np.bincount(graph.components)[graph.components]
    ...         return np.where(sizes < self.smallest, harness.UNASSIGNED, graph.components)
    >>> Components().cluster(np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]]), seed=0)
    array([ 0,  0, -1])
    """

    kind = "clusterer"
    _converted: ClassVar[conversion.Conversions] = {
        "cluster": conversion.as_graph,
        "cluster_sweep": conversion.as_graphs,
    }

    @abstractmethod
    def cluster(self, graph: Graph, *, seed: int) -> NDArray[np.integer[Any]] | Partition:
        """Return the cluster of every node.

        Parameters
        ----------
        graph
            The graph, at a safe scale (`Graph.at_safe_scale`); it must not be changed.
        seed
            Seed of all randomness, 0 ≤ seed < 2³¹: the same graph and seed give the same labels.
            In calls by hand, the default is 0.

        Returns
        -------
        ndarray of int, shape (n,), or Partition
            Labels ≥ 0 in any order; −1 means unassigned. A `Partition` also has numbers of the
            method itself.
        """

    def cluster_sweep(
        self, graphs: Iterable[Graph], *, seed: int
    ) -> Iterator[NDArray[np.integer[Any]] | Partition]:
        """Yield what `cluster` returns for each graph of a sweep, in the order of the graphs.

        Override it if several graphs together take less time than one after another; labels must be
        those of `cluster`. Graphs are built as they are taken, and results are stored as they are
        yielded. A time limit loses what is not yet yielded, so take graphs ahead only as far as
        that saves time. A warning belongs to the graph whose result is yielded next.

        Parameters
        ----------
        graphs
            Graphs of the same n nodes, such as those of one map at several levels; each at a safe
            scale.
        seed
            As for `cluster`, the same for every graph.

        Yields
        ------
        ndarray of int, shape (n,), or Partition
            As `cluster` returns.
        """
        for graph in graphs:
            yield self.cluster(graph, seed=seed)

    def caveat(self) -> str:
        """Return what the method ignores although users may expect otherwise, or ""."""
        return ""


class Selector(Component):
    """A rule that chooses a level of a profile.

    Attributes
    ----------
    needs_controls : bool
        Class variable. If True, a run whose maps have no control is refused before it begins.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class MostClusters(harness.Selector):
    ...     name = "most-clusters"
    ...     def select(self, profile, controls):
    ...         index = int(profile.n_clusters.argmax())
    ...         count = float(profile.n_clusters[index])
    ...         return harness.Selection(index, count, accepted=count > 1)
    """

    kind = "selector"
    needs_controls: ClassVar[bool] = False

    @abstractmethod
    def select(self, profile: Profile, controls: Sequence[Profile]) -> Selection:
        """Choose a level.

        Parameters
        ----------
        profile
            The points of one clusterer on one map.
        controls
            Profiles of the same clusterer at the same levels on a control's draws, if there are
            any. If `profile` is itself that of a draw, the observed one is among them.

        Returns
        -------
        Selection
            The level, its statistic, and whether it is accepted as structure.
        """

    def select_each(self, profiles: Sequence[Profile]) -> Iterable[Selection]:
        """Return what `select` returns for each profile, with all others as its controls.

        Tests call this method, as they treat an observed profile and its draws alike. Override it
        if several profiles together take less time than one after another.

        Parameters
        ----------
        profiles
            The observed profile and those of a control's draws. The controls of each are the others
            in the same order.

        Returns
        -------
        iterable of Selection
            One for each profile.
        """
        for index, profile in enumerate(profiles):
            yield self.select(profile, [*profiles[:index], *profiles[index + 1 :]])
