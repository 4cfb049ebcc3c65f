"""Normalised cuts of the undirected graph, one after the other."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

import harness
from harness import UNASSIGNED, Floats, Integers
from harness_plugins.clusterers.connected import connected_parts
from harness_plugins.parameters import check_bounds

# Entries of an eigenvector that differ by less than this fraction of its range are equal, and
# weights by less than this fraction of the largest.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Ncut(harness.Clusterer):
    """Normalised cut: divides the symmetrised graph by its Fiedler vector, recursively (scipy).

    Shi and Malik (2000), on the weights W = A + Aᵀ with degrees D: a part is cut along the second
    smallest eigenvector x of (D − W) x = λ D x, and the part whose cut has the smallest value
    Ncut(A, B) = w(A, B) / w(A, A ∪ B) + w(A, B) / w(B, A ∪ B) is cut first. Values are computed
    within the part: 0 if nothing is cut, about 1 for a random half. A part whose pairs all weigh
    the same is not cut. Connected components are separate parts from the start. Isolated nodes are
    unassigned. Directions are ignored.

    With a threshold the graph is that of TokenCut (Wang et al. 2022): heavy edges are 1 and all
    other pairs epsilon, so that nothing is isolated. `ncut[threshold=0.2,clusters=2,split=mean]`
    is its rule, on cosine similarities with self-loops, at level 0.

    Parameters
    ----------
    clusters
        total number of clusters, without isolated nodes; at least one for each component. If not
        given, a component is cut while the value is at most max_ncut.
    max_clusters
        largest number for a component if the total is not given.
    max_ncut
        largest value of a cut if the total is not given, 0 … 2.
    split
        where the eigenvector is split. best: where the value is smallest; mean: at its mean.
    threshold
        the smallest weight that counts; 0 counts every edge. If not given, edges have their
        weights, and other pairs none. It refers to the map's own weights, so it does not suit maps
        whose largest weight is beyond 2^±16: clusterers get these rescaled.
    epsilon
        the weight of all other pairs if there is a threshold; edges have 1.
    """

    name: ClassVar[str] = "ncut"
    clusters: int | None = None
    max_clusters: int = 10
    max_ncut: float = 0.8
    split: Literal["best", "mean"] = "best"
    threshold: float | None = None
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        check_bounds(self, "clusters", "max_clusters", least=1)
        check_bounds(self, "max_ncut", least=0, most=2)
        check_bounds(self, "threshold", least=0)
        check_bounds(self, "epsilon", above=0, below=1)

    def cluster(self, graph: harness.Graph, *, seed: int) -> Integers:
        """Labels (n,), −1 = unassigned; they do not depend on the seed."""
        weights = self._weights(graph)
        parts = connected_parts(graph)
        if self.threshold is not None and parts:
            parts = [np.arange(graph.n)]
        if self.clusters is not None:
            found = self._divided(weights, parts, self.clusters, math.inf)
        else:
            found = [
                piece
                for part in parts
                for piece in self._divided(weights, [part], self.max_clusters, self.max_ncut)
            ]
        labels = np.full(graph.n, UNASSIGNED)
        for label, nodes in enumerate(found):
            labels[nodes] = label
        return labels

    def _weights(self, graph: harness.Graph) -> Floats:
        """The symmetric weights (n, n) that are cut."""
        weights = graph.adjacency.toarray()
        if self.threshold is not None:
            heavy = (weights > 0) & (weights >= self.threshold)
            weights = np.where(heavy, 1.0, self.epsilon)
        return np.asarray(weights + weights.T)

    def _divided(
        self, weights: Floats, parts: Sequence[Integers], most: int, max_ncut: float
    ) -> list[Integers]:
        """Parts, cut where the value is smallest, until there are so many or it is too large."""
        found = list(parts)
        cuts = [self._cut(weights[np.ix_(nodes, nodes)]) for nodes in found]
        while 0 < len(found) < most:
            cheapest = min(range(len(cuts)), key=lambda part: cuts[part][0])
            value, side = cuts.pop(cheapest)
            if math.isinf(value) or value > max_ncut:
                break
            nodes = found.pop(cheapest)
            for piece in (nodes[side], nodes[~side]):
                found.append(piece)
                cuts.append(self._cut(weights[np.ix_(piece, piece)]))
        return found

    def _cut(self, weights: Floats) -> tuple[float, NDArray[np.bool_]]:
        """The value of the cut of a part (m, m), and which nodes are on its first side.

        The value of a part that cannot be cut is infinite: of a single node, and of nodes whose
        pairs all weigh the same, since then every vector is an eigenvector.
        """
        from scipy.sparse.csgraph import connected_components

        if len(weights) == 1:
            return math.inf, np.zeros(1, dtype=np.bool_)
        count, components = connected_components(weights, directed=False)
        if count > 1:
            return 0.0, components == np.bincount(components).argmax()
        pairs = weights[~np.eye(len(weights), dtype=np.bool_)]
        if np.ptp(pairs) <= ROUNDING * pairs.max():
            return math.inf, np.zeros(len(weights), dtype=np.bool_)
        entries = _fiedler(weights)
        if self.split == "mean":
            side = entries > entries.mean()
            order = np.argsort(~side, kind="stable")
            return float(_values(weights, order)[side.sum() - 1]), side
        order = np.argsort(entries, kind="stable")
        rises = np.diff(entries[order]) > ROUNDING * np.ptp(entries)
        values = np.where(rises, _values(weights, order), math.inf)
        best = int(values.argmin())
        side = np.zeros(len(order), dtype=np.bool_)
        side[order[: best + 1]] = True
        return float(values[best]), side


def _fiedler(weights: Floats) -> Floats:
    """The second smallest eigenvector of (D − W) x = λ D x, (m,), of a connected graph."""
    from scipy.linalg import eigh

    roots = np.sqrt(weights.sum(axis=1))
    trivial = roots / np.linalg.norm(roots)
    # Symmetric, with the same eigenvalues, 0 … 2; the trivial vector's is moved from 0 to 2.
    normalised = np.eye(len(weights)) - weights / np.outer(roots, roots)
    _, vectors = eigh(normalised + 2 * np.outer(trivial, trivial), subset_by_index=[0, 0])
    return np.asarray(vectors[:, 0] / roots)


def _values(weights: Floats, order: Integers) -> Floats:
    """Ncut of the first 1 … m − 1 nodes of an order and the others, (m − 1,)."""
    ordered = weights[np.ix_(order, order)]
    degrees = ordered.sum(axis=1)
    inside = np.cumsum(2 * np.tril(ordered, -1).sum(axis=1) + ordered.diagonal())[:-1]
    first = np.cumsum(degrees)[:-1]
    second = np.cumsum(degrees[::-1])[-2::-1]
    cut = np.maximum(first - inside, 0)
    return np.asarray(cut / first + cut / second)


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [Ncut]
