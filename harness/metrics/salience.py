"""Salience: how much attention clusters get from the rest of the image."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.plugin.values import UNASSIGNED, Integers

# Saliences that differ by less than this share of the largest may be told apart by rounding alone.
ROUNDING = 2e-3


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
        found.append(ClusterSalience(label, int(inside.sum()), _salience(weights, inside)))
    return tuple(sorted(found, key=lambda each: (-(each.salience or 0.0), each.label)))


def most_salient(weights: NDArray[np.floating[Any]], members: NDArray[np.bool_]) -> Integers:
    """The first cluster of `order_by_salience` in each of some partitions, (partitions,).

    members: (partitions, clusters, n), whether each patch is in each cluster. For many partitions
    this is quicker than their orders.

    >>> weights = np.array([[0.2, 0.8, 0.0], [0.3, 0.3, 0.4], [0.0, 1.0, 0.0]])
    >>> most_salient(weights, np.array([[[True, False, True], [False, True, False]]]))
    array([1])
    """
    n = len(weights)
    plain = np.asarray(weights, dtype=np.promote_types(weights.dtype, np.float32))
    # A product of matrices is the quickest way to all sums, but rounds in another order.
    inside = members.reshape(-1, n).astype(plain.dtype)
    sums = np.einsum("cn,cn->c", (1 - inside) @ plain, inside).reshape(members.shape[:2])
    sizes = members.sum(axis=2)
    about = sums / np.maximum(sizes * (n - sizes), 1)
    near = about >= (1 - ROUNDING) * about.max(axis=1, keepdims=True)
    first = near.argmax(axis=1)
    for at in np.flatnonzero(near.sum(axis=1) > 1).tolist():
        exact = {
            label: _salience(weights, members[at, label]) for label in np.flatnonzero(near[at])
        }
        # Of equal ones, max takes the first.
        first[at] = max(exact, key=exact.__getitem__)
    return np.asarray(first)


def _salience(weights: NDArray[np.floating[Any]], inside: NDArray[np.bool_]) -> float:
    # Indexing a memory-mapped array as such is slower.
    pairs = np.asarray(weights)[np.ix_(~inside, inside)]
    return float(pairs.mean()) if pairs.size else 0.0
