"""Estimators of scikit-learn, and of libraries that follow it, as clusterers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.errors import WrongValueError
from harness.objects.adapter import (
    RANDOM_STATE,
    Adapter,
    chosen_parameters,
    name_of,
    own_parameters,
)
from harness.plugin.base import Clusterer
from harness.plugin.graph import Graph
from harness.plugin.values import UNASSIGNED, Floats, Integers

PRECOMPUTED = "precomputed"
# Parameters that set a number of clusters, which cannot exceed that of the nodes.
COUNTS = ("n_clusters", "n_components")


def is_estimator(value: Any) -> bool:
    """Whether a value is an estimator that clusters: it has fit_predict and get_params."""
    return hasattr(value, "fit_predict") and hasattr(value, "get_params")


@dataclass(frozen=True, eq=False)
class EstimatorClusterer(Adapter, Clusterer):
    """An estimator with `fit_predict`, on the nodes that have edges; the others are unassigned.

    It gets the rows of the pruned map. With affinity="precomputed" it gets similarities instead,
    (A + Aᵀ)/2, and with metric="precomputed" distances, 1 less the similarities divided by the
    largest one: 0 on the diagonal, and 1 between nodes without an edge. It is cloned for each
    graph, `random_state` is set from the cell's seed, and `n_clusters` or `n_components` is lowered
    to the number of nodes if that is smaller.
    """

    name: str  # type: ignore[misc]  # that of the estimator's class
    estimator: Any

    def _shown(self) -> Mapping[str, Any]:
        return chosen_parameters(self.estimator)

    def _content(self) -> Mapping[str, Any]:
        return {"class": type(self.estimator), **own_parameters(self.estimator)}

    def cluster(self, graph: Graph, *, seed: int) -> Integers:
        """Labels (n,), −1 = unassigned."""
        from sklearn.base import clone

        labels = np.full(graph.n, UNASSIGNED)
        linked = np.flatnonzero(~graph.isolated)
        if len(linked) < 2:
            return labels
        estimator = clone(self.estimator)
        parameters = estimator.get_params()
        changes: dict[str, Any] = {
            key: seed for key in parameters if key.rpartition("__")[2] == RANDOM_STATE
        }
        for key in COUNTS:
            if isinstance(parameters.get(key), int):
                changes[key] = min(parameters[key], len(linked))
        estimator.set_params(**changes)
        labels[linked] = estimator.fit_predict(self._features(graph, linked, parameters))
        # Of HDBSCAN, −2 and −3 are noise of other kinds.
        return labels.clip(min=UNASSIGNED)

    def _features(self, graph: Graph, linked: Integers, parameters: Mapping[str, Any]) -> Floats:
        """What the estimator gets of the nodes that have edges."""
        weights: Floats = graph.adjacency.toarray()[linked]
        wanted = {key for key in ("affinity", "metric") if parameters.get(key) == PRECOMPUTED}
        if not wanted:
            return weights
        similarities: Floats = (weights[:, linked] + weights[:, linked].T) / 2
        if wanted == {"affinity"}:
            return similarities
        distances: Floats = 1 - similarities / similarities.max()
        np.fill_diagonal(distances, 0)
        return distances


def estimator_clusterer(estimator: Any) -> EstimatorClusterer:
    """Return an estimator as a clusterer; raises WrongValueError for a class."""
    if isinstance(estimator, type):
        name = estimator.__name__
        raise WrongValueError(f"{name}: give an estimator, such as {name}(), not its class")
    return EstimatorClusterer(name_of(type(estimator)), estimator)
