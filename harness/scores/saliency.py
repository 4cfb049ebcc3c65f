"""Which clusters the rest of an image attends to: an order made before any logit is looked at."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.scores.partition import check_labels
from harness.values import UNASSIGNED


@dataclass(frozen=True)
class Salience:
    """How much a cluster of `size` patches is attended to from outside.

    incoming: the mean of the attention from every patch outside to every patch inside; 1 / n
    where attention is spread evenly over n patches, 0 where there is no patch outside.
    """

    label: int
    size: int
    incoming: float


def order_by_salience(
    weights: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> tuple[Salience, ...]:
    """The clusters of a map, the most attended first; of equal ones the smaller label.

    weights: (n, n), row i = what query patch i attends to; labels: (n,). The patches labelled −1
    are no cluster, but attend from outside to every one.

    Attention from inside is left out because a cluster is a group of patches that attend to one
    another: that it is found at all says that this part is large, whatever the rest of the image
    makes of it. It would also carry the diagonal, a patch's attention to itself, most in the
    smallest clusters. Being a mean over pairs of patches it does not grow with the cluster's
    size, as a sum over patches would.

    Raises InvalidLabels if labels are no partition of the map's patches.
    """
    labels = check_labels(labels, len(weights))
    found = []
    for label in np.unique(labels[labels != UNASSIGNED]):
        inside = labels == label
        received = weights[np.ix_(~inside, inside)]
        incoming = float(received.mean(dtype=np.float64)) if received.size else 0.0
        found.append(Salience(int(label), int(inside.sum()), incoming))
    return tuple(sorted(found, key=lambda each: (-each.incoming, each.label)))
