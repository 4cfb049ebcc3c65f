"""Embeds spins in few dimensions, for density clustering."""

import numpy as np

from harness import Floats
from harness_plugins.parameters import check_value

# In one dimension, density clustering separates points that belong together in two.
FEWEST_DIMENSIONS = 2


def embed(spins: Floats, *, variance: float) -> Floats:
    """The spins' principal components: points (n, d) from spins (n, m), m ≥ 2.

    The axes are the leading eigenvectors of the spins' covariance (m, m): as few as explain the
    fraction `variance` of the total, but at least two. Within an eigenspace they are arbitrary, so
    compare distances between points, not coordinates.

    Raises HarnessError unless 0 < variance ≤ 1.
    """
    check_value("embed", "variance", variance, above=0, most=1)
    centred = spins - spins.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred / len(spins))
    explained = np.cumsum(variances[::-1])
    enough = int(np.searchsorted(explained, variance * explained[-1])) + 1
    leading = axes[:, ::-1][:, : max(FEWEST_DIMENSIONS, enough)]
    return np.asarray(centred @ leading)
