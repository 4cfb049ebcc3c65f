"""Graphs made of attention maps, and partitions of their nodes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.plugin.connectivity import (
    Component,
    component_labels,
    members,
    weak_components,
)
from harness.plugin.requirement import NETWORKX
from harness.plugin.values import Floats, Integers, check_finite, check_sum, read_only

if TYPE_CHECKING:
    import networkx
    from scipy.sparse import csr_array

# A largest weight within 2^±16 is safe: its square and its 32-bit float are far from the ends of
# the number range, and it is far above every absolute tolerance.
SAFE_EXPONENT = 16


@dataclass(frozen=True, eq=False)
class Graph:
    """A weighted directed graph.

    Make it with `from_weights`: the constructor checks nothing.

    Parameters
    ----------
    adjacency : csr_array of float64, shape (n, n)
        Entry (i, j) is the weight of the edge i → j; positive, with sorted indices. Its arrays
        are read-only.
    level
        The level of its builder that gave the graph.
    threshold
        The smallest weight allowed; if the builder limits edges in another way, the smallest
        weight present.
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
        """Return the graph of a matrix of weights.

        Parameters
        ----------
        weights : array_like, shape (n, n)
            Entry (i, j) is the weight of the edge i → j; 0 and negative weights are no edges.
        threshold
            The smallest weight of an edge.
        self_loops
            Whether the diagonal counts; otherwise it is ignored.
        level
            The `level` of the graph.

        Raises
        ------
        ValueError
            If the matrix is not square, or its sum is not finite.

        Examples
        --------
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
        positions, *structure = _csr_structure(kept)
        adjacency = csr_array((dense.take(positions), *structure), shape=dense.shape)
        return cls(adjacency, level, threshold, self_loops)

    def keeping(self, edges: Integers, *, level: float, threshold: float | None = None) -> "Graph":
        """Return the graph of some of the edges, much faster than `from_weights`.

        Parameters
        ----------
        edges : ndarray of int, shape (kept,)
            Increasing indices of the kept edges in the CSR arrays.
        level
            The `level` of the new graph.
        threshold
            By default the smallest kept weight, 0 if there is none.

        Examples
        --------
        >>> graph = harness.Graph.from_weights([[0.0, 0.7], [0.2, 0.0]])
        >>> graph.keeping(np.array([0]), level=0.5).adjacency.toarray()
        array([[0. , 0.7],
               [0. , 0. ]])
        """
        adjacency = self.adjacency
        if len(edges) < adjacency.nnz:
            pointers = np.searchsorted(edges, adjacency.indptr).astype(adjacency.indptr.dtype)
            kept = adjacency.data.take(edges), adjacency.indices.take(edges), pointers
            adjacency = with_arrays(adjacency, *kept)
        if threshold is None:
            threshold = float(adjacency.data.min()) if adjacency.nnz else 0.0
        return Graph(adjacency, level, threshold, self.self_loops)

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
    def total(self) -> float:
        """Sum of all weights."""
        with np.errstate(over="ignore", invalid="ignore"):
            return float(self.adjacency.data.sum())

    @cached_property
    def out_strength(self) -> Floats:
        """Sum of the weights that leave each node, (n,)."""
        return read_only(np.asarray(self.adjacency @ np.ones(self.n), dtype=np.float64))

    @cached_property
    def in_strength(self) -> Floats:
        """Sum of the weights that reach each node, (n,)."""
        sums = np.bincount(self.adjacency.indices, self.adjacency.data, minlength=self.n)
        return read_only(sums.astype(np.float64, copy=False))

    @cached_property
    def components(self) -> Integers:
        """The weakly connected component of each node, (n,), counted from 0."""
        return read_only(component_labels(self._components, self.n))

    @cached_property
    def largest_component_fraction(self) -> float:
        """Fraction of the nodes that lie in the largest weakly connected component."""
        return max((each.bit_count() for each in self._components), default=1) / self.n

    @cached_property
    def isolated(self) -> NDArray[np.bool_]:
        """Whether a node has no edge to or from another node, (n,)."""
        return read_only(~members(sum(self._components), self.n))

    @property
    def isolated_fraction(self) -> float:
        """Fraction of the nodes that are isolated."""
        return (self.n - sum(each.bit_count() for each in self._components)) / self.n

    @cached_property
    def _components(self) -> list[Component]:
        """The weakly connected components of two nodes or more."""
        return weak_components(self._edge_matrix())

    def _edge_matrix(self) -> NDArray[np.bool_]:
        """Whether i → j is an edge, (n, n)."""
        adjacency = self.adjacency
        ones = np.ones(adjacency.nnz, dtype=np.bool_)
        edges = with_arrays(adjacency, ones, adjacency.indices, adjacency.indptr)
        return np.asarray(edges.toarray())

    @cached_property
    def _exponent(self) -> int:
        """The power of two just above the largest weight."""
        check_finite(self.total)
        return int(np.frexp(self.adjacency.data.max(initial=0.0))[1])

    def at_safe_scale(self) -> "Graph":
        """Return the graph with weights of a size at which clusterers lose no precision.

        Scaling all weights does not change communities. But squares of tiny weights are 0, sums of
        huge ones infinite, and libraries have absolute tolerances. If the largest weight is within
        2^±16, the graph is returned as it is. Otherwise all weights are multiplied by the power of
        two, which is exact, that brings the largest into ½ … 1.

        Raises
        ------
        ValueError
            If the sum of the weights is not finite.

        Examples
        --------
        >>> graph = harness.Graph.from_weights([[0, 3e-200], [1e-200, 0]])
        >>> graph.at_safe_scale().adjacency.data.round(3)
        array([0.574, 0.191])
        """
        exponent = self._exponent
        if abs(exponent) <= SAFE_EXPONENT:
            return self
        whole = self.adjacency
        # An edge that would become 0 beside the largest stays an edge.
        scaled = np.maximum(np.ldexp(whole.data, -exponent), np.finfo(np.float64).tiny)
        adjacency = with_arrays(whole, scaled, whole.indices, whole.indptr)
        threshold = float(np.ldexp(self.threshold, -exponent))
        return replace(self, adjacency=adjacency, threshold=threshold)

    def symmetric_binary(self) -> "csr_array[Any, Any]":
        """Return a CSR array (n, n) with 1 where i → j or j → i is an edge, i ≠ j."""
        from scipy.sparse import csr_array

        edges = self._edge_matrix()
        edges |= edges.T
        np.fill_diagonal(edges, False)
        positions, *structure = _csr_structure(edges)
        return csr_array((np.ones(len(positions)), *structure), shape=(self.n, self.n))

    def to_networkx(self) -> "networkx.DiGraph[int]":
        """Return the same graph for networkx, with all isolated nodes.

        A component that calls this has `requires = harness.NETWORKX`, or a requirement that
        includes it.

        Raises
        ------
        HarnessError
            If networkx is not installed.
        """
        NETWORKX.check("Graph.to_networkx")
        import networkx

        graph: networkx.DiGraph[int] = networkx.DiGraph()
        graph.add_nodes_from(range(self.n))
        ends = self.rows.tolist(), self.adjacency.indices.tolist()
        graph.add_weighted_edges_from(zip(*ends, self.adjacency.data.tolist(), strict=True))
        return graph


def with_arrays(
    like: "csr_array[Any, Any]", data: NDArray[Any], indices: NDArray[Any], pointers: NDArray[Any]
) -> "csr_array[Any, Any]":
    """A matrix of the shape of another, with other arrays.

    They must be valid, and sorted if the other's are: to check them, as the constructor does,
    takes longer than most of what is done with them.
    """
    # As `copy.copy`, which takes several times as long.
    made = object.__new__(type(like))
    vars(made).update(vars(like))
    made.data, made.indices, made.indptr = data, indices, pointers
    return made


def _csr_structure(kept: NDArray[np.bool_]) -> tuple[Integers, NDArray[Any], NDArray[Any]]:
    """The flat positions, the column indices and the row pointers of the entries that are True."""
    n = len(kept)
    positions = np.flatnonzero(kept)
    columns = np.broadcast_to(np.arange(n, dtype=np.int32), kept.shape)
    # Counting row by row takes many times as long.
    pointers = np.searchsorted(positions, np.arange(n + 1) * n).astype(np.int32)
    return positions, columns[kept], pointers


@dataclass(frozen=True, eq=False)
class Partition:
    """Labels with diagnostics, which a clusterer may return instead of bare labels.

    `np.asarray` gives the labels, so functions that take labels also take a partition.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
        Cluster of each node; −1 means unassigned.
    diagnostics
        Numbers by name, such as a code length. They are stored with the point, but never ranked.

    Examples
    --------
    >>> harness.Partition(np.array([0, 0, 1, -1]), {"code length": 2.5}).diagnostics
    {'code length': 2.5}
    """

    labels: NDArray[Any]
    diagnostics: Mapping[str, float] = field(default_factory=dict)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.labels, dtype=dtype, copy=copy)
