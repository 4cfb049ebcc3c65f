from typing import Any

import numpy as np
import pytest
from sklearn.cluster import DBSCAN, HDBSCAN, AgglomerativeClustering, KMeans, SpectralClustering
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import harness
from harness.objects.estimators import estimator_clusterer
from harness.plugin.spec import format_spec, parse
from harness.plugin.values import digest_of

# Two groups, and a node without edges.
WEIGHTS = np.random.default_rng(0).random((11, 11)) * 0.1
WEIGHTS[:5, :5] += 1
WEIGHTS[5:10, 5:10] += 1
WEIGHTS[10], WEIGHTS[:, 10] = 0, 0
np.fill_diagonal(WEIGHTS, 0)
LINKED = WEIGHTS[:10, :10]


def labels(estimator: Any, weights: Any = WEIGHTS, seed: int = 3) -> list[int]:
    found: Any = estimator_clusterer(estimator).cluster(weights, seed=seed)
    return list(found.tolist())


def test_an_estimator_gets_the_rows_of_the_nodes_with_edges_and_the_seed() -> None:
    expected = KMeans(2, n_init=1, random_state=3).fit_predict(WEIGHTS[:10])

    assert labels(KMeans(2, n_init=1)) == [*expected.tolist(), -1]


def test_affinities_are_the_symmetrised_weights() -> None:
    similarities = (LINKED + LINKED.T) / 2
    settings: dict[str, Any] = {"n_clusters": 2, "affinity": "precomputed"}
    expected = SpectralClustering(**settings, random_state=3).fit_predict(similarities)

    assert labels(SpectralClustering(**settings)) == [*expected.tolist(), -1]


@pytest.mark.parametrize(
    "estimator",
    [
        DBSCAN(eps=0.6, min_samples=2, metric="precomputed"),
        AgglomerativeClustering(2, metric="precomputed", linkage="average"),
    ],
)
def test_metrics_are_distances_from_zero_to_one(estimator: Any) -> None:
    similarities = (LINKED + LINKED.T) / 2
    distances = 1 - similarities / similarities.max()
    np.fill_diagonal(distances, 0)

    assert labels(estimator) == [*estimator.fit_predict(distances).tolist(), -1]
    assert len(set(labels(estimator)[:10])) == 2


def test_the_seed_reaches_every_step_of_a_pipeline() -> None:
    pipeline = make_pipeline(StandardScaler(), KMeans(4, n_init=1, init="random"))

    found = {tuple(labels(pipeline, seed=seed)) for seed in range(5)}

    assert len(found) > 1
    assert labels(pipeline, seed=1) == labels(pipeline, seed=1)


@pytest.mark.parametrize("estimator", [KMeans(8, n_init=1), GaussianMixture(8)])
def test_no_more_clusters_are_asked_for_than_there_are_nodes(estimator: Any) -> None:
    pair = np.array([[0, 0.5, 0], [0.2, 0, 0], [0, 0, 0]])

    assert labels(estimator, pair)[2] == -1
    assert labels(estimator, np.zeros((3, 3))) == [-1, -1, -1]


def test_the_given_estimator_is_not_fitted() -> None:
    estimator = HDBSCAN(min_cluster_size=2, copy=True)

    labels(estimator)

    assert not hasattr(estimator, "labels_")


@pytest.mark.parametrize(
    ("estimator", "spec"),
    [
        (KMeans(), "KMeans"),
        (KMeans(4, random_state=1), "KMeans[n_clusters=4]"),
        (KMeans(init=np.eye(8)), f"KMeans[init=array:{digest_of(np.eye(8))[:12]}]"),
        (DBSCAN(metric=np.dot), "DBSCAN[metric=dot]"),
        (
            make_pipeline(StandardScaler(), KMeans(2)),
            'Pipeline[steps=[[standardscaler,StandardScaler()],[kmeans,"KMeans(n_clusters=2)"]]]',
        ),
    ],
)
def test_the_spec_of_an_estimator_has_the_parameters_that_are_not_default(
    estimator: Any, spec: str
) -> None:
    written = format_spec(estimator_clusterer(estimator))

    assert written == spec
    assert parse(written)[0].text == written


def test_the_class_of_an_estimator_is_refused() -> None:
    with pytest.raises(harness.HarnessError, match=r"give an estimator, such as KMeans\(\)"):
        estimator_clusterer(KMeans)
