"""The values that flow through the pipeline: images, maps, graphs, profiles, selections.

All are frozen; their arrays are read-only copies or views. What is computed from them alone
is here too, so that there is one place for each graph's other views.
"""

import hashlib
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.plugin.patches import Region, checked_region

if TYPE_CHECKING:
    import networkx
    from scipy.sparse import csr_array

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Scalar = TypeVar("Scalar", bound=np.generic)

UNASSIGNED = -1


def read_only(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """A view of the array that cannot be written to."""
    view = array.view()
    view.flags.writeable = False
    return view


def digest_of(array: NDArray[Any]) -> str:
    """SHA-256 of an array's type, shape and content."""
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape} ".encode())
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


@dataclass(frozen=True)
class Variant:
    """What was done to an image or a map before it was used; part of every map's identity.

    `name` is the spelling of the control or perturbation ("" for observed), `draw` counts its
    draws from 0.
    """

    role: Literal["observed", "control", "perturbation"] = "observed"
    name: str = ""
    draw: int = 0


OBSERVED = Variant()


@dataclass(frozen=True, order=True)
class HeadIndex:
    """One attention matrix of a model: a head of a layer, both counted from 0.

    Raises TypeError for what is no whole number and ValueError for one out of range.
    """

    layer: int
    head: int

    def __post_init__(self) -> None:
        for name in ("layer", "head"):
            number = operator.index(getattr(self, name))
            if not 0 <= number < 2**31:
                raise ValueError(f"{name} must be 0 … 2³¹ − 1, not {number}")
            object.__setattr__(self, name, number)


FIRST_HEAD = HeadIndex(0, 0)


@dataclass(frozen=True, eq=False)
class Image:
    """Pixels (height, width, channels) of bytes; channels are 1 (grey) or 3 (RGB).

    Raises ValueError for other shapes and labels that do not fit 64 bits, TypeError for other
    types.
    """

    key: str
    pixels: NDArray[np.uint8]
    label: int | None = None
    variant: Variant = OBSERVED

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8:
            raise TypeError(f"pixels must be unsigned bytes, not {self.pixels.dtype}")
        if self.pixels.ndim != 3 or self.pixels.shape[2] not in (1, 3) or not self.pixels.size:
            raise ValueError(
                f"pixels must be (height, width, 1 or 3) and not empty, not {self.pixels.shape}"
            )
        if self.label is not None:
            label = operator.index(self.label)
            if not -(2**63) <= label < 2**63:
                raise ValueError(f"a label must fit 64 bits, not {label}")
            object.__setattr__(self, "label", label)
        object.__setattr__(self, "pixels", read_only(self.pixels))

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the decoded pixels and their shape."""
        return digest_of(self.pixels)


@dataclass(frozen=True, eq=False)
class AttentionMap:
    """One head's attention over patches: weights (n, n), row i = what query patch i attends to.

    `grid` is the patches' (rows, columns) with rows·columns = n, or None where there is none;
    `truth` (n,) holds the true communities of planted maps. `region` is where on the image the
    grid lies, (top, left, height, width) in pixels of the image at its own size, whole or not: what
    is left of it where a model's preprocessing crops. None is all of the image. Raises ValueError,
    naming the place, if the weights are not square, not finite or negative, or if grid, truth or
    region do not fit.
    """

    weights: NDArray[np.floating[Any]]
    image: str = ""
    layer: int = 0
    head: int = 0
    grid: tuple[int, int] | None = None
    variant: Variant = OBSERVED
    truth: Integers | None = None
    region: Region | None = None

    def __post_init__(self) -> None:
        weights = self.weights
        if not np.issubdtype(weights.dtype, np.floating):
            raise ValueError(f"attention weights must be floating point, not {weights.dtype}")
        if weights.ndim != 2 or weights.shape[0] != weights.shape[1] or not weights.size:
            raise ValueError(f"attention weights must be (n, n), not {weights.shape}")
        # Of what is no number both are False; two passes, where the place is not asked for.
        if not (weights.min() >= 0 and weights.max() < np.inf):
            row, column = np.argwhere(~(np.isfinite(weights) & (weights >= 0)))[0]
            raise ValueError(
                f"attention weights must be finite and not negative; [{row}, {column}] is "
                f"{weights[row, column]}"
            )
        if self.grid is not None and self.grid[0] * self.grid[1] != self.n:
            raise ValueError(
                f"a grid of {self.grid[0]}×{self.grid[1]} does not hold {self.n} nodes"
            )
        if self.truth is not None and self.truth.shape != (self.n,):
            raise ValueError(f"truth must be ({self.n},), not {self.truth.shape}")
        if self.region is not None:
            if self.grid is None:
                raise ValueError("a region is where a grid lies, and there is no grid")
            object.__setattr__(self, "region", checked_region(self.region))
        head_index = HeadIndex(self.layer, self.head)
        object.__setattr__(self, "layer", head_index.layer)
        object.__setattr__(self, "head", head_index.head)
        object.__setattr__(self, "weights", read_only(weights))

    @property
    def n(self) -> int:
        """Number of patches."""
        return int(self.weights.shape[0])

    @property
    def head_index(self) -> HeadIndex:
        """The layer and head the map comes from."""
        return HeadIndex(self.layer, self.head)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the weights, their type and shape."""
        return digest_of(self.weights)


@dataclass(frozen=True, eq=False)
class Graph:
    """A weighted directed graph: CSR (n, n), float64, positive weights, sorted indices.

    `level` is where on its builder's axis it lies, `threshold` the smallest weight allowed
    (or, where a builder has no limit for all edges alike, the smallest kept),
    `self_loops` whether edges from a node to itself were allowed.
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
        """The graph of a dense matrix (n, n): weights that are positive and ≥ threshold."""
        dense = np.asarray(weights, dtype=np.float64)
        if dense.ndim != 2 or dense.shape[0] != dense.shape[1]:
            raise ValueError(f"weights must be (n, n), not {dense.shape}")
        kept = (dense >= threshold) & (dense > 0)
        if not self_loops:
            np.fill_diagonal(kept, False)
        return cls.from_kept(dense, kept, level=level, threshold=threshold, self_loops=self_loops)

    @classmethod
    def from_kept(
        cls,
        weights: NDArray[np.floating[Any]],
        kept: NDArray[np.bool_],
        *,
        level: float,
        threshold: float,
        self_loops: bool,
    ) -> "Graph":
        """The graph of those entries of a dense matrix (n, n) that a mask (n, n) keeps."""
        from scipy.sparse import csr_array

        n = len(weights)
        positions = np.flatnonzero(kept)
        pointers = np.zeros(n + 1, dtype=np.int32)
        np.cumsum(np.count_nonzero(kept, axis=1), out=pointers[1:])
        adjacency = csr_array(
            (
                weights.ravel()[positions].astype(np.float64),
                (positions % n).astype(np.int32),
                pointers,
            ),
            shape=(n, n),
        )
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
        """Edges as a share of all possible ones, n(n−1), or n² where self-loops are allowed."""
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
        """Share of the nodes that lie in the largest weakly connected component."""
        return float(np.bincount(self.components).max()) / self.n

    @cached_property
    def isolated(self) -> NDArray[np.bool_]:
        """Which nodes have no edge to or from another node, (n,)."""
        sent = np.diff(self.adjacency.indptr)
        received = np.bincount(self.adjacency.indices, minlength=self.n)
        own = self.adjacency.diagonal() > 0 if self.self_loops else np.zeros(self.n, dtype=bool)
        isolated: NDArray[np.bool_] = (sent == own) & (received == own)
        return isolated

    def symmetric_binary(self) -> "csr_array[Any, Any]":
        """CSR of ones where i → j or j → i is an edge (i ≠ j), as the SDP takes it."""
        from scipy.sparse import csr_array

        others = self.rows != self.adjacency.indices
        sources, targets = self.rows[others], self.adjacency.indices[others]
        ends = (np.concatenate([sources, targets]), np.concatenate([targets, sources]))
        either = csr_array((np.ones(len(ends[0])), ends), shape=(self.n, self.n))
        either.sum_duplicates()
        either.data[:] = 1.0
        return either

    def to_networkx(self) -> "networkx.DiGraph[int]":
        """The same graph for networkx; every node is there, isolated ones too."""
        import networkx

        graph: networkx.DiGraph[int] = networkx.DiGraph()
        graph.add_nodes_from(range(self.n))
        graph.add_weighted_edges_from(
            zip(
                self.rows.tolist(),
                self.adjacency.indices.tolist(),
                self.adjacency.data.tolist(),
                strict=True,
            )
        )
        return graph


@dataclass(frozen=True, eq=False)
class Partition:
    """What a clusterer may return instead of bare labels: labels (n,) and named scalars.

    The scalars (a gap, a code length) are stored beside the point and never ranked.
    """

    labels: NDArray[Any]
    diagnostics: Mapping[str, float] = field(default_factory=dict)


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
