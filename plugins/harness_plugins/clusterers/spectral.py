"""Spectral clustering of the graph without directions."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness
from harness import Floats, Integers
from harness_plugins.clusterers.connected import connected_parts
from harness_plugins.parameters import check_bounds

# Of k-means in the embedding; as many as scikit-learn's SpectralClustering takes.
RESTARTS = 10


@dataclass(frozen=True)
class Spectral(harness.Clusterer):
    """Spectral clustering: normalised cut of the symmetrised graph (scipy, scikit-learn).

    Shi and Malik (2000), by von Luxburg's tutorial (2007), on the weights A + Aᵀ: k-means on the
    eigenvectors of the k smallest eigenvalues of the random walk's Laplacian. Each connected
    component is clustered on its own; isolated nodes are singletons. Directions are lost, and
    a map without a clear gap is one cluster.

    clusters: how many to find in all, isolated nodes aside. Components share them by the
        eigenvalues of all of them together, each having one at least. If not given, each
        component has as many as lie before its largest eigengap, which may be one.
    max_clusters: most that a component has where their number is not given.
    """

    name: ClassVar[str] = "spectral"
    clusters: int | None = None
    max_clusters: int = 10

    def __post_init__(self) -> None:
        check_bounds(self, "clusters", "max_clusters", least=1)

    def cluster(self, graph: harness.Graph, *, seed: int) -> Integers:
        """Labels (n,), every node assigned."""
        labels = np.arange(graph.n)
        symmetric = (graph.adjacency + graph.adjacency.T).toarray()
        parts = connected_parts(graph)
        wanted = (self.clusters or self.max_clusters) + 1
        spectra = [_spectrum(symmetric[np.ix_(nodes, nodes)], wanted) for nodes in parts]
        values = [part_values for part_values, _ in spectra]
        counts = _shared(values, self.clusters) if self.clusters else map(_before_the_gap, values)
        found = graph.n
        for nodes, (_, vectors), count in zip(parts, spectra, counts, strict=True):
            labels[nodes] = found + _parted(vectors[:, :count], seed)
            found += count
        return labels


def _spectrum(weights: Floats, wanted: int) -> tuple[Floats, Floats]:
    """The smallest eigenvalues of I − D⁻¹W, (wanted,) or all, and their vectors (n, wanted)."""
    from scipy.linalg import eigh
    from scipy.sparse.csgraph import laplacian

    # Similar to the walk's, and symmetric.
    normalised, roots = laplacian(weights, normed=True, return_diag=True)
    last = min(wanted, len(weights)) - 1
    values, vectors = eigh(normalised, subset_by_index=[0, last])
    return values, vectors / roots[:, None]


def _before_the_gap(values: Floats) -> int:
    return int(np.argmax(np.diff(values))) + 1


def _shared(values: list[Floats], clusters: int) -> list[int]:
    """How many of the smallest eigenvalues of all components are each one's, one at least."""
    owners = np.repeat(np.arange(len(values)), [len(part) for part in values])
    smallest = np.argsort(np.concatenate([*values, []]), kind="stable")[:clusters]
    counts = np.bincount(owners[smallest], minlength=len(values))
    return [max(1, count) for count in counts.tolist()]


def _parted(points: Floats, seed: int) -> Integers:
    """Labels 0 … k − 1 of points (n, k)."""
    from sklearn.cluster import KMeans

    if points.shape[1] == 1:
        return np.zeros(len(points), dtype=np.int64)
    clustering = KMeans(points.shape[1], n_init=RESTARTS, random_state=seed)
    return np.asarray(clustering.fit_predict(points), dtype=np.int64)


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [Spectral]
