"""What the inputs of tests are."""

import numpy as np

from harness.testing import profile


def test_a_profile_takes_labels_of_unassigned_nodes() -> None:
    found = profile([0.1, 0.2], [np.array([0, 0, 1, -1]), np.array([-1, -1, -1, -1])])

    assert found.n_clusters.tolist() == [1, 0]
    assert found.column("coverage").tolist() == [0.75, 0.0]
