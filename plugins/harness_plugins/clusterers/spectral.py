"""Spectral clustering of the undirected graph."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness
from harness import Floats, Integers
from harness_plugins.clusterers.connected import connected_parts
from harness_plugins.parameters import check_bounds

# Restarts of k-means, as many as in scikit-learn's SpectralClustering.
RESTARTS = 10


@dataclass(frozen=True)
class Spectral(harness.Clusterer):
    """Spectral clustering: normalised cut of the symmetrised graph (scipy, scikit-learn).

    Shi and Malik (2000), as in von Luxburg's tutorial (2007), on the weights A + Aᵀ: k-means on
    the eigenvectors of the k smallest eigenvalues of the random-walk Laplacian. Each connected
    component is clustered on its own; isolated nodes are singletons. Directions are ignored, and
    a map without a clear eigengap is one cluster.

    Parameters
    ----------
    clusters
        total number of clusters, without isolated nodes. They are distributed over the components
        by the smallest eigenvalues of all, at least one to each. If not given, each component has
        as many as there are eigenvalues before its largest gap, possibly one.
    max_clusters
        largest number for a component if the total is not given.
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
            labels[nodes] = found + _clustered(vectors[:, :count], seed)
            found += count
        return labels


def _spectrum(weights: Floats, wanted: int) -> tuple[Floats, Floats]:
    """The smallest eigenvalues of I − D⁻¹W, (wanted,) or all, and their vectors (n, wanted)."""
    from scipy.linalg import eigh
    from scipy.sparse.csgraph import laplacian

    # Symmetric, and similar to the random-walk Laplacian.
    normalised, roots = laplacian(weights, normed=True, return_diag=True)
    last = min(wanted, len(weights)) - 1
    values, vectors = eigh(normalised, subset_by_index=[0, last])
    return values, vectors / roots[:, None]


def _before_the_gap(values: Floats) -> int:
    return int(np.argmax(np.diff(values))) + 1


def _shared(values: list[Floats], clusters: int) -> list[int]:
    """Each component's number of the smallest eigenvalues of all, at least one."""
    owners = np.repeat(np.arange(len(values)), [len(part) for part in values])
    smallest = np.argsort(np.concatenate([*values, []]), kind="stable")[:clusters]
    counts = np.bincount(owners[smallest], minlength=len(values))
    return [max(1, count) for count in counts.tolist()]


def _clustered(points: Floats, seed: int) -> Integers:
    """Labels 0 … k − 1 of points (n, k)."""
    from sklearn.cluster import KMeans

    if points.shape[1] == 1:
        return np.zeros(len(points), dtype=np.int64)
    clustering = KMeans(points.shape[1], n_init=RESTARTS, random_state=seed)
    return np.asarray(clustering.fit_predict(points), dtype=np.int64)


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [Spectral]
