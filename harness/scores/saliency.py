"""Which clusters the attention singles out, told before any logit is looked at."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.values import UNASSIGNED


def order_by_salience(
    weights: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> tuple[tuple[int, float], ...]:
    """The clusters of labels (n,) with their salience, the most salient first.

    Salience: the attention in weights (n, n), row i what patch i attends to, that a patch of the
    cluster gets from all patches outside it, the mean over the cluster. Unassigned patches (−1)
    are no cluster, but their attention counts. Ties go to the lower label.
    """
    found = []
    for label in np.unique(labels[labels != UNASSIGNED]).tolist():
        inside = labels == label
        found.append((label, float(weights[np.ix_(~inside, inside)].sum() / inside.sum())))
    return tuple(sorted(found, key=lambda each: (-each[1], each[0])))
