"""Scores: figures of the clusters of a graph, which plugins define.

The examples assume `import harness`, `import numpy as np` and
`from dataclasses import dataclass`.
"""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.errors import HarnessError
from harness.plugin.component import Component
from harness.plugin.graph import Graph
from harness.plugin.values import UNASSIGNED, AttentionMap, Integers, read_only


@dataclass(frozen=True, eq=False)
class LabelledGraph:
    """A graph whose nodes have labels, with the attention map that it was made of.

    Parameters
    ----------
    graph : Graph
        The pruned graph, at a safe scale (`Graph.at_safe_scale`).
    labels : ndarray of int64, shape (n,)
        The cluster of each node, from 0; −1 means unassigned.
    attention : AttentionMap
        The unpruned map, with its `weights` (n, n) and the `grid` of its patches, None if they form
        no grid.

    Raises
    ------
    HarnessError
        If graph, labels and map have different numbers of nodes, or a label is not an integer ≥ −1.

    Examples
    --------
    >>> labelled = harness.LabelledGraph.from_weights(np.ones((4, 4)), [5, 5, 2, -1])
    >>> labelled.communities, labelled.clusters
    (array([2, 2, 1, 0]), (array([0, 1]),))
    """

    graph: Graph
    labels: Integers
    attention: AttentionMap

    def __post_init__(self) -> None:
        labels, n = np.asarray(self.labels), self.graph.n
        if not self.attention.n == n == labels.size or labels.ndim != 1:
            raise HarnessError(
                f"a graph of {n} nodes needs a map and labels of {n} nodes, not a map of "
                f"{self.attention.n} and labels {labels.shape}"
            )
        if not np.issubdtype(labels.dtype, np.integer) or labels.min() < UNASSIGNED:
            raise HarnessError("labels must be integers from 0, or −1 for unassigned nodes")
        object.__setattr__(self, "labels", read_only(labels.astype(np.int64)))

    @classmethod
    def from_weights(
        cls,
        weights: NDArray[Any],
        labels: ArrayLike,
        *,
        threshold: float = 0.0,
        grid: tuple[int, int] | None = None,
    ) -> "LabelledGraph":
        """Return the labelled graph of a matrix of weights.

        Parameters
        ----------
        weights : ndarray, shape (n, n)
            Weights of an attention map.
        labels : array_like of int, shape (n,)
            The cluster of each node; −1 means unassigned.
        threshold
            The smallest weight of an edge.
        grid
            Rows and columns of the patches.
        """
        attention = AttentionMap(np.asarray(weights, dtype=np.float64), grid=grid)
        graph = Graph.from_weights(attention.weights, threshold=threshold)
        return cls(graph.at_safe_scale(), np.asarray(labels), attention)

    @cached_property
    def communities(self) -> Integers:
        """The cluster of each node, (n,), from 0; each unassigned node has one of its own."""
        alone = -1 - np.arange(self.graph.n)
        own = np.where(self.labels == UNASSIGNED, alone, self.labels)
        return read_only(np.unique(own, return_inverse=True)[1])

    @cached_property
    def clusters(self) -> Sequence[Integers]:
        """The nodes of each cluster of at least two, by increasing label."""
        found = (np.flatnonzero(self.labels == label) for label in np.unique(self.labels))
        return tuple(
            nodes for nodes in found if len(nodes) > 1 and self.labels[nodes[0]] != UNASSIGNED
        )


class Score(Component):
    """A number for the clusters of a graph, computed from stored labels.

    Attributes
    ----------
    higher_is_better : bool
        Class variable. Whether a larger score means better clusters.
    range : tuple of float
        Class variable. The smallest and the largest value; by default any number.
    version : int
        Class variable, 1 by default. Stored scores of another version, or of other code of the
        plugin, are computed again. Raise it if something else changes the scores, such as a
        library.

    Examples
    --------
    >>> @dataclass(frozen=True)
    ... class Assigned(harness.Score):
    ...     name = "assigned"
    ...     higher_is_better = True
    ...     range = 0, 1
    ...     def score(self, labelled):
    ...         return np.mean(labelled.labels >= 0)
    >>> Assigned().score(harness.LabelledGraph.from_weights(np.ones((4, 4)), [0, 0, 1, -1]))
    np.float64(0.75)
    """

    kind = "score"
    higher_is_better: ClassVar[bool]
    range: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    version: ClassVar[int] = 1

    @abstractmethod
    def score(self, labelled: LabelledGraph) -> float:
        """Compute the score.

        Parameters
        ----------
        labelled
            The graph at the selected level, its labels and its map; they must not be changed. The
            score may depend only on these and on the parameters.

        Returns
        -------
        float
            A number in the range, or NaN if the score is undefined.
        """

    @classmethod
    def misdeclared(cls) -> str:
        """What is wrong with the class variables of the kind."""
        if not isinstance(getattr(cls, "higher_is_better", None), bool):
            return "does not say whether higher_is_better: ClassVar[bool]"
        if not isinstance(cls.version, int):
            return f"has the version {cls.version!r}, which is not a whole number"
        try:
            low, high = map(float, cls.range)
        except (TypeError, ValueError):
            low, high = math.nan, math.nan
        if not low < high:
            return f"has the range {cls.range!r}, which is not a smallest and a larger number"
        return ""

    @classmethod
    def declared(cls) -> str:
        """The range, the direction and the version."""
        low, high = cls.range
        better = "larger" if cls.higher_is_better else "smaller"
        return f"From {low:g} to {high:g}; {better} is better. Version {cls.version}."
