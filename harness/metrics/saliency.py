"""Which clusters the attention singles out, told before any logit is looked at."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.plugin.values import UNASSIGNED


@dataclass(frozen=True)
class Salience:
    """A cluster, its patches, and the mean attention that a patch outside pays to one inside."""

    label: int
    size: int
    incoming: float


def order_by_salience(
    weights: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> tuple[Salience, ...]:
    """The clusters of labels (n,), the most salient first; ties go to the lower label.

    Salience is the mean of weights (n, n), row i what patch i attends to, over all pairs of a
    patch outside the cluster and one inside: a mean over pairs, so that size alone decides
    nothing (where attention is uniform all are alike), and from outside only, since a cluster
    that looks at itself is not thereby what the image is looked at for. 0 for a cluster of all
    patches. Unassigned patches (−1) are no cluster, but what they attend to counts.
    """
    found = []
    for label in np.unique(labels[labels != UNASSIGNED]).tolist():
        inside = labels == label
        size = int(inside.sum())
        pairs = weights[np.ix_(~inside, inside)]
        found.append(Salience(label, size, float(pairs.mean()) if pairs.size else 0.0))
    return tuple(sorted(found, key=lambda each: (-each.incoming, each.label)))
