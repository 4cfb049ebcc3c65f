import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

import harness
from harness_plugins.scores.contiguity import Contiguity


@given(rows=st.integers(1, 6), columns=st.integers(1, 6), seed=st.integers(0, 2**32 - 1))
def test_it_is_the_share_of_clusters_that_scipy_labels_as_one_region(
    rows: int, columns: int, seed: int
) -> None:
    labels = np.random.default_rng(seed).integers(-1, 3, (rows, columns))
    clusters = [labels == label for label in range(3) if (labels == label).sum() > 1]
    regions = [ndimage.label(cluster)[1] for cluster in clusters]
    expected = np.mean([count == 1 for count in regions]) if regions else np.nan

    n = rows * columns
    labelled = harness.LabelledGraph.from_weights(
        np.ones((n, n)), labels.ravel(), grid=(rows, columns)
    )

    assert Contiguity().score(labelled) == pytest.approx(expected, nan_ok=True)


def test_patches_that_touch_at_a_corner_are_not_connected() -> None:
    labelled = harness.LabelledGraph.from_weights(np.ones((4, 4)), [0, 1, 1, 0], grid=(2, 2))

    assert Contiguity().score(labelled) == 0


def test_patches_without_a_grid_have_none() -> None:
    labelled = harness.LabelledGraph.from_weights(np.ones((4, 4)), [0, 0, 1, 1])

    assert np.isnan(Contiguity().score(labelled))
