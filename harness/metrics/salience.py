"""Salience: how much attention clusters get from the rest of the image."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.plugin.values import UNASSIGNED


@dataclass(frozen=True)
class ClusterSalience:
    """A cluster, its number of patches and its salience; None for unassigned patches (−1)."""

    label: int
    patches: int
    salience: float | None


def order_by_salience(
    weights: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]
) -> tuple[ClusterSalience, ...]:
    """The clusters, most salient first; ties go to the lower label.

    Salience is the mean attention over all pairs of a patch outside the cluster and one inside, so
    that neither its size nor what it attends to itself counts; 0 for a cluster of all patches. Row
    i of the weights (n, n) is what patch i attends to. Unassigned patches (−1) are no cluster, but
    their attention counts.

    >>> weights = np.array([[0.2, 0.8, 0.0], [0.3, 0.3, 0.4], [0.0, 1.0, 0.0]])
    >>> [(each.label, each.salience) for each in order_by_salience(weights, np.array([0, 1, 0]))]
    [(1, 0.9), (0, 0.35)]
    """
    found = []
    for label in np.unique(labels[labels != UNASSIGNED]).tolist():
        inside = labels == label
        pairs = weights[np.ix_(~inside, inside)]
        salience = float(pairs.mean()) if pairs.size else 0.0
        found.append(ClusterSalience(label, int(inside.sum()), salience))
    return tuple(sorted(found, key=lambda each: (-(each.salience or 0.0), each.label)))
