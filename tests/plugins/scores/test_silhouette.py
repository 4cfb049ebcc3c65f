import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import silhouette_score

import harness
from harness_plugins.scores.silhouette import Silhouette


@given(seed=st.integers(0, 2**32 - 1), threshold=st.floats(0, 0.9))
def test_it_is_scikit_learns_on_the_rows_of_the_unpruned_map(seed: int, threshold: float) -> None:
    random = np.random.default_rng(seed)
    weights, labels = random.random((12, 12)), random.integers(0, 4, 12)
    labels[:2] = 0, 1
    labelled = harness.LabelledGraph.from_weights(weights, labels, threshold=threshold)

    assert Silhouette().score(labelled) == pytest.approx(silhouette_score(weights, labels))


def test_an_unassigned_patch_counts_0() -> None:
    weights = np.kron(np.eye(2), np.ones((3, 3)))
    weights[0, 1] = 0.9

    whole, without = (
        Silhouette().score(harness.LabelledGraph.from_weights(weights, labels))
        for labels in ([0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, -1])
    )

    assert without < whole


@pytest.mark.parametrize("labels", [[0] * 4, [0, 1, 2, 3], [-1] * 4])
def test_one_cluster_or_single_patches_alone_have_none(labels: list[int]) -> None:
    assert np.isnan(Silhouette().score(harness.LabelledGraph.from_weights(np.eye(4), labels)))
