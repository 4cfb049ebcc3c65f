import numpy as np

from harness.metrics.partition import in_order
from harness.plugin.values import UNASSIGNED
from harness.views.figures.matrices import ordered_matrix


def test_the_matrix_is_in_that_order_and_clusters_are_framed() -> None:
    weights = np.random.default_rng(0).random((6, 6))
    labels = np.array([UNASSIGNED, 5, 2, 5, 2, 5])

    panel = ordered_matrix(weights, labels, title="t").axes[0]

    order = in_order(labels)
    assert np.allclose(panel.images[0].get_array(), np.sqrt(weights[np.ix_(order, order)]))
    frames = [(frame.get_x() + 0.5, frame.get_width()) for frame in panel.patches]
    assert frames == [(0, 3), (3, 2)]
