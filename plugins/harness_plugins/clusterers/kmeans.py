"""k-means on the rows of the pruned map: a baseline without a graph."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness
from harness import UNASSIGNED, Floats, Integers
from harness_plugins.parameters import check_bounds

# The time is proportional; more change silhouettes of real maps in the third decimal only.
RESTARTS = 3


@dataclass(frozen=True)
class Kmeans(harness.Clusterer):
    """k-means on the rows of the pruned map: what patches attend to (scikit-learn).

    A baseline. Patches that attend to the same patches are similar, whether or not they attend to
    each other, so a cluster may extend over several components of the graph; for example, all
    nodes without outgoing edges have the same row. Isolated nodes are unassigned.

    Parameters
    ----------
    clusters
        number of clusters, at most one per different row. If not given, the number from 2 to
        max_clusters with the highest mean silhouette (Rousseeuw 1987), which is never one.
    max_clusters
        largest number that is tried.
    """

    name: ClassVar[str] = "kmeans"
    clusters: int | None = None
    max_clusters: int = 10

    def __post_init__(self) -> None:
        check_bounds(self, "clusters", least=1)
        check_bounds(self, "max_clusters", least=2)

    def cluster(self, graph: harness.Graph, *, seed: int) -> Integers:
        """Labels (n,), −1 = unassigned."""
        labels = np.full(graph.n, UNASSIGNED)
        linked = ~graph.isolated
        rows = graph.adjacency.toarray()[linked]
        if len(rows):
            labels[linked] = self._labels(rows, seed)
        return labels

    def _labels(self, rows: Floats, seed: int) -> Integers:
        from sklearn.cluster import KMeans

        def clustered(count: int) -> Integers:
            clustering = KMeans(count, n_init=RESTARTS, random_state=seed)
            return np.asarray(clustering.fit_predict(rows), dtype=np.int64)

        different = len(np.unique(rows, axis=0))
        if self.clusters is not None:
            return clustered(min(self.clusters, different))

        from sklearn.metrics import pairwise_distances, silhouette_score

        # A silhouette needs two clusters, one of them with more than one row.
        most = min(self.max_clusters, different, len(rows) - 1)
        tried = [clustered(count) for count in range(2, most + 1)]
        if not tried:
            return np.zeros(len(rows), dtype=np.int64)
        distances = pairwise_distances(rows)
        return max(
            tried, key=lambda labels: silhouette_score(distances, labels, metric="precomputed")
        )


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [Kmeans]
