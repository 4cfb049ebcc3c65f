"""Spins as points of few dimensions, for clustering by density."""

import numpy as np

from harness import Floats
from harness_plugins.parameters import check_value

# In one dimension density clustering parts what two dimensions keep together.
FEWEST_DIMENSIONS = 2


def embed(spins: Floats, *, variance: float) -> Floats:
    """The spins' principal components: points (n, d) from spins (n, m), m ≥ 2.

    The axes are the leading eigenvectors of the spins' covariance (m, m), as few as explain the
    share `variance` of the total and never fewer than two. Within an eigenspace they are
    arbitrary: compare distances of points, not coordinates.

    Raises HarnessError if the share is not above 0 and at most 1.
    """
    check_value("embed", "variance", variance, above=0, most=1)
    centred = spins - spins.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred / len(spins))
    explained = np.cumsum(variances[::-1])
    enough = int(np.searchsorted(explained, variance * explained[-1])) + 1
    kept = axes[:, ::-1][:, : max(FEWEST_DIMENSIONS, enough)]
    points: Floats = centred @ kept
    return points
