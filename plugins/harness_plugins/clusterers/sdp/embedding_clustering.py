"""Methods that cluster the points of an embedding."""

import importlib.util
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import numpy as np

import harness
from harness import UNASSIGNED, Floats, Integers
from harness_plugins.parameters import check_bounds

Method: TypeAlias = Literal["hdbscan", "hdbscan-sklearn", "kmeans", "dbscan"]

# Which methods a setting applies to.
APPLIES_TO: Mapping[str, tuple[Method, ...]] = {
    "min_cluster_size": ("hdbscan", "hdbscan-sklearn"),
    "min_samples": ("hdbscan", "hdbscan-sklearn", "dbscan"),
    "separation": ("hdbscan",),
    "radius": ("dbscan",),
    "clusters": ("kmeans",),
}

MIN_CLUSTER_SIZE = 5
MIN_SAMPLES = 5
SEPARATION = 0.05
RADIUS = 0.3
# Largest k that k-means tries if it is not given, and its restarts.
MOST_CLUSTERS = 10
RESTARTS = 10
# Points nearer than this are one point for k-means.
SAME = 1e-6


@dataclass(frozen=True)
class EmbeddingClustering:
    """A method that clusters points, with its settings; None is the method's default.

    Raises HarnessError if a setting is out of range or does not apply to the method.
    """

    name: ClassVar[str] = "sdp"
    method: Method = "hdbscan"
    min_cluster_size: int | None = None
    min_samples: int | None = None
    separation: float | None = None
    radius: float | None = None
    clusters: int | None = None

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            known = ", ".join(get_args(Method))
            raise harness.HarnessError(
                f"sdp: clusterer must be one of {known}, not {self.method!r}"
            )
        for name, methods in APPLIES_TO.items():
            if getattr(self, name) is not None and self.method not in methods:
                raise harness.HarnessError(
                    f"sdp: {name} applies to clusterer={' or '.join(methods)}, not to {self.method}"
                )
        check_bounds(self, "min_cluster_size", least=2)
        check_bounds(self, "min_samples", "clusters", least=1)
        check_bounds(self, "separation", least=0, most=2)
        check_bounds(self, "radius", above=0, most=2)

    @property
    def fewest_points(self) -> int:
        """The smallest number of points for two clusters; fewer points are one cluster."""
        return 2 * (self.min_cluster_size or MIN_CLUSTER_SIZE)

    def labels(self, points: Floats, weights: Any, seed: int) -> Integers:
        """Labels (n,) of points (n, d), −1 = in no cluster; if none is found, all are one cluster.

        weights (n, n), dense or sparse: the undirected graph of these nodes, by which k-means
        chooses the number of clusters.
        """
        if self.method == "kmeans":
            return self._kmeans(points, weights, seed)
        labels = self._by_density(points)
        return labels if (labels != UNASSIGNED).any() else np.zeros_like(labels)

    def _by_density(self, points: Floats) -> Integers:
        """Labels (n,) by every method but k-means."""
        size = self.min_cluster_size or MIN_CLUSTER_SIZE
        if self.method == "hdbscan":
            separation = SEPARATION if self.separation is None else self.separation
            return hdbscan_labels(points, size, self.min_samples or size, separation)
        from sklearn.cluster import DBSCAN, HDBSCAN

        method: Any
        if self.method == "dbscan":
            method = DBSCAN(eps=self.radius or RADIUS, min_samples=self.min_samples or MIN_SAMPLES)
        else:
            method = HDBSCAN(
                min_cluster_size=size, min_samples=self.min_samples, n_jobs=1, copy=True
            )
        return np.asarray(method.fit_predict(points), dtype=np.int64)

    def _kmeans(self, points: Floats, weights: Any, seed: int) -> Integers:
        from sklearn.cluster import KMeans

        distinct = len(np.unique(np.round(points / SAME), axis=0))
        counts = [self.clusters] if self.clusters else range(1, MOST_CLUSTERS + 1)
        best = np.zeros(len(points), dtype=np.int64)
        reached = -np.inf
        for count in counts:
            if count > distinct:
                break
            clustering = KMeans(count, n_init=RESTARTS, random_state=seed)
            labels = np.asarray(clustering.fit_predict(points), dtype=np.int64)
            modularity = _modularity(weights, labels)
            if modularity > reached:
                best, reached = labels, modularity
        return best


def hdbscan_labels(
    points: Floats, min_cluster_size: int, min_samples: int, separation: float
) -> Integers:
    """Labels (n,) of points (n, d): those of `hdbscan.HDBSCAN` with these settings.

    separation is its cluster_selection_epsilon. The library's compiled steps, in its order: its
    own way to them takes as long again for some hundred points. Many edges of the tree are equally
    long, as a point's core distance is the length of several. They stay in the tree's order, so
    that clusters do not depend on the sort of the processor, as the library's do.
    """
    from scipy.spatial import KDTree

    linkage, trees, metrics = _compiled_steps()
    points = np.ascontiguousarray(points)
    neighbours = max(1, min(min_samples, len(points) - 1))
    core_distances = KDTree(points).query(points, k=[neighbours + 1])[0][:, 0].copy()
    edges = linkage.mst_linkage_core_vector(points, core_distances, metrics.EuclideanDistance())
    hierarchy = linkage.label(edges[np.argsort(edges[:, 2], kind="stable")])
    tree = trees.condense_tree(hierarchy, min_cluster_size)
    labels, _, _ = trees.get_clusters(
        tree, trees.compute_stability(tree), cluster_selection_epsilon=float(separation)
    )
    return np.asarray(labels, dtype=np.int64)


@lru_cache
def _compiled_steps() -> tuple[Any, Any, Any]:
    """HDBSCAN's modules for minimum spanning trees, for condensed trees, and for metrics."""
    with _without_package("hdbscan"):
        from hdbscan import _hdbscan_linkage, _hdbscan_tree, dist_metrics

    return _hdbscan_linkage, _hdbscan_tree, dist_metrics


@contextmanager
def _without_package(name: str) -> Iterator[None]:
    """Let modules of a package be imported without the package, if nobody has imported it.

    Its own imports would take as long as the spins of several maps, in every worker.
    """
    found = importlib.util.find_spec(name) if name not in sys.modules else None
    if found is None:
        yield
        return
    stand_in = ModuleType(name)
    stand_in.__path__ = list(found.submodule_search_locations or ())
    sys.modules[name] = stand_in
    try:
        yield
    finally:
        del sys.modules[name]


def _modularity(weights: Any, labels: Integers) -> float:
    """Modularity of labels 0 … k − 1 (n,) on an undirected graph (n, n), dense or sparse."""
    members = np.eye(int(labels.max()) + 1)[labels]
    fractions = members.T @ (weights @ members) / weights.sum()
    return float(np.trace(fractions) - (fractions.sum(axis=0) ** 2).sum())
