"""Graphs made of attention maps, and partitions of their nodes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.plugin.values import Floats, Integers, check_sum, read_only

if TYPE_CHECKING:
    import networkx
    from scipy.sparse import csr_array

# A largest weight within 2^±16 is safe: its square and its 32-bit float are far from the ends of
# the number range, and it is far above every absolute tolerance.
SAFE_EXPONENT = 16


@dataclass(frozen=True, eq=False)
class Graph:
    """A weighted directed graph.

    Make one with `from_weights`; the constructor checks nothing.

    Parameters
    ----------
    adjacency : csr_array of float64, shape (n, n)
        Entry (i, j) is the weight of the edge i → j; positive, with sorted indices.
    level
        The level of its builder that gave the graph.
    threshold
        The smallest weight allowed; the smallest present if the builder limits edges otherwise.
    self_loops
        Whether edges from a node to itself were allowed.

    Examples
    --------
    >>> graph = harness.Graph.from_weights([[0.0, 0.7, 0.1], [0.7, 0.0, 0.1], [0.2, 0.2, 0.0]])
    >>> graph.edges, graph.symmetric_binary().nnz
    (6, 6)
    """

    adjacency: "csr_array[Any, Any]"
    level: float = 0.0
    threshold: float = 0.0
    self_loops: bool = False

    def __post_init__(self) -> None:
        for name in ("data", "indices", "indptr"):
            setattr(self.adjacency, name, read_only(getattr(self.adjacency, name)))

    @classmethod
    def from_weights(
        cls,
        weights: ArrayLike,
        *,
        threshold: float = 0.0,
        self_loops: bool = False,
        level: float = 0.0,
    ) -> "Graph":
        """Return the graph of the entries of a matrix that are positive and ≥ a threshold.

        Entry (i, j) of the weights (n, n) is the weight of the edge i → j; without `self_loops` the
        diagonal is ignored. Raises ValueError if the matrix is not square or its sum not finite.

        >>> harness.Graph.from_weights([[0.5, 0.4], [0.1, 0.9]], threshold=0.2).edges
        1
        """
        from scipy.sparse import csr_array

        dense = np.asarray(weights, dtype=np.float64)
        if dense.ndim != 2 or dense.shape[0] != dense.shape[1]:
            raise ValueError(f"weights must be (n, n), not {dense.shape}")
        check_sum(dense)
        kept = (dense >= threshold) & (dense > 0)
        if not self_loops:
            np.fill_diagonal(kept, False)
        n = len(dense)
        positions = np.flatnonzero(kept)
        pointers = np.zeros(n + 1, dtype=np.int32)
        np.cumsum(np.count_nonzero(kept, axis=1), out=pointers[1:])
        targets = (positions % n).astype(np.int32)
        adjacency = csr_array((dense.ravel()[positions], targets, pointers), shape=(n, n))
        return cls(adjacency, level, threshold, self_loops)

    @property
    def n(self) -> int:
        """Number of nodes."""
        return int(self.adjacency.shape[0])

    @property
    def edges(self) -> int:
        """Number of directed edges."""
        return int(self.adjacency.nnz)

    @property
    def density(self) -> float:
        """Fraction of the possible edges: n(n − 1), or n² if self-loops are allowed."""
        possible = self.n * (self.n if self.self_loops else self.n - 1)
        return self.edges / possible if possible else 0.0

    @cached_property
    def rows(self) -> Integers:
        """The source node of every edge, (edges,), in the order of the CSR arrays."""
        return np.repeat(np.arange(self.n), np.diff(self.adjacency.indptr))

    @cached_property
    def out_strength(self) -> Floats:
        """Sum of the weights that leave each node, (n,)."""
        return np.asarray(self.adjacency @ np.ones(self.n), dtype=np.float64)

    @cached_property
    def in_strength(self) -> Floats:
        """Sum of the weights that reach each node, (n,)."""
        sums = np.bincount(self.adjacency.indices, self.adjacency.data, minlength=self.n)
        return sums.astype(np.float64)

    @cached_property
    def components(self) -> Integers:
        """The weakly connected component of each node, (n,), counted from 0."""
        from scipy.sparse.csgraph import connected_components

        _, labels = connected_components(self.adjacency, directed=True, connection="weak")
        return np.asarray(labels, dtype=np.int64)

    @cached_property
    def largest_component_fraction(self) -> float:
        """Fraction of the nodes that lie in the largest weakly connected component."""
        return float(np.bincount(self.components).max()) / self.n

    @cached_property
    def isolated(self) -> NDArray[np.bool_]:
        """Whether a node has no edge to or from another node, (n,)."""
        sent = np.diff(self.adjacency.indptr)
        received = np.bincount(self.adjacency.indices, minlength=self.n)
        own = self.adjacency.diagonal() > 0 if self.self_loops else np.zeros(self.n, dtype=bool)
        isolated: NDArray[np.bool_] = (sent == own) & (received == own)
        return isolated

    def at_safe_scale(self) -> "Graph":
        """Return the graph with weights that lose nothing in a clusterer's arithmetic.

        Communities do not change if all weights are multiplied by a number, but squares of tiny
        weights are 0, sums of huge ones infinite, and libraries have absolute tolerances. A graph
        whose largest weight is within 2^±16 is returned as it is; the weights of any other are
        multiplied by the power of two, which is exact, that brings the largest into ½ … 1. Raises
        ValueError if their sum is not finite.

        >>> graph = harness.Graph.from_weights([[0, 3e-200], [1e-200, 0]])
        >>> graph.at_safe_scale().adjacency.data.round(3)
        array([0.574, 0.191])
        """
        from scipy.sparse import csr_array

        weights = self.adjacency.data
        check_sum(weights)
        exponent = int(np.frexp(weights.max(initial=0.0))[1])
        if abs(exponent) <= SAFE_EXPONENT:
            return self
        # An edge that would become 0 beside the largest stays an edge.
        scaled = np.maximum(np.ldexp(weights, -exponent), np.finfo(np.float64).tiny)
        edges = (scaled, self.adjacency.indices, self.adjacency.indptr)
        adjacency = csr_array(edges, shape=self.adjacency.shape)
        threshold = float(np.ldexp(self.threshold, -exponent))
        return replace(self, adjacency=adjacency, threshold=threshold)

    def symmetric_binary(self) -> "csr_array[Any, Any]":
        """CSR (n, n) of ones where i → j or j → i is an edge, i ≠ j."""
        from scipy.sparse import csr_array

        others = self.rows != self.adjacency.indices
        sources, targets = self.rows[others], self.adjacency.indices[others]
        ends = (np.concatenate([sources, targets]), np.concatenate([targets, sources]))
        either = csr_array((np.ones(len(ends[0])), ends), shape=(self.n, self.n))
        either.sum_duplicates()
        either.data[:] = 1.0
        return either

    def to_networkx(self) -> "networkx.DiGraph[int]":
        """The same graph for networkx, isolated nodes included."""
        import networkx

        graph: networkx.DiGraph[int] = networkx.DiGraph()
        graph.add_nodes_from(range(self.n))
        ends = self.rows.tolist(), self.adjacency.indices.tolist()
        graph.add_weighted_edges_from(zip(*ends, self.adjacency.data.tolist(), strict=True))
        return graph


@dataclass(frozen=True, eq=False)
class Partition:
    """Labels with diagnostics: what a clusterer may return instead of bare labels.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        Cluster of each node; −1 means unassigned.
    diagnostics
        Named numbers, such as a code length. They are stored with the point and never ranked.

    Examples
    --------
    >>> harness.Partition(np.array([0, 0, 1, -1]), {"code length": 2.5}).diagnostics
    {'code length': 2.5}
    """

    labels: NDArray[Any]
    diagnostics: Mapping[str, float] = field(default_factory=dict)
