import numpy as np

from harness.plugin.values import UNASSIGNED
from harness.views.figures.matrices import ordered_matrix
from harness.views.figures.style import in_order


def test_patches_are_ordered_by_cluster_the_largest_first_and_unassigned_ones_last() -> None:
    labels = np.array([UNASSIGNED, 5, 2, 5, 2, 5])

    assert in_order(labels).tolist() == [1, 3, 5, 2, 4, 0]


def test_the_matrix_is_in_that_order_and_clusters_are_framed() -> None:
    weights = np.random.default_rng(0).random((6, 6))
    labels = np.array([UNASSIGNED, 5, 2, 5, 2, 5])

    panel = ordered_matrix(weights, labels, title="t").axes[0]

    order = in_order(labels)
    assert np.allclose(panel.images[0].get_array(), np.sqrt(weights[np.ix_(order, order)]))
    frames = [(frame.get_x() + 0.5, frame.get_width()) for frame in panel.patches]
    assert frames == [(0, 3), (3, 2)]
