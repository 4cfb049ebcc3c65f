"""Refines a partition: nodes move and communities merge while modularity rises."""

import numpy as np

from harness import Floats, Integers
from harness_plugins.clusterers.sdp.weights import DegreeCorrected

# Gains in modularity below this are rounding.
LEAST_GAIN = 1e-12
# Most passes over all nodes and communities.
MOST_PASSES = 20
# A pass ends after so many moves without a new best partition.
PATIENCE = 60


def refined(weights: DegreeCorrected, labels: Integers) -> Integers:
    """A partition 0 … k − 1, (n,), that neither a pass of moves nor a merger improves further.

    weights: the symmetric modularity matrix. In each pass every node moves once, always by the
    best remaining move even if it is a loss, and the best partition on the way is taken (Kernighan
    and Lin 1970, as Newman 2006 uses it for modularity). Then communities merge while that gains.
    """
    current = _merged(weights, np.unique(labels, return_inverse=True)[1])
    for _ in range(MOST_PASSES):
        moved, gain = _moved(weights, current)
        if gain <= LEAST_GAIN:
            break
        current = _merged(weights, np.unique(moved, return_inverse=True)[1])
    return current


def sums_by_community(weights: DegreeCorrected, labels: Integers, communities: int) -> Floats:
    """Each node's weights to the nodes of each community, summed, (n, k)."""
    members = np.zeros((len(labels), communities))
    members[np.arange(len(labels)), labels] = 1
    return weights @ members


def _moved(weights: DegreeCorrected, labels: Integers) -> tuple[Integers, float]:
    """The best partition on a path of single moves, and its gain in modularity."""
    n = len(labels)
    # With an additional empty community, so that nodes may leave all others.
    count = int(labels.max()) + 2
    everyone = np.arange(n)
    labels = labels.copy()
    sums = sums_by_community(weights, labels, count)
    loops = weights.observed.diagonal() - weights.sent * weights.received
    # Half of each move's gain in modularity; −∞ for staying, and for nodes that have moved.
    gains = sums - (sums[everyone, labels] - loops)[:, None]
    gains[everyone, labels] = -np.inf
    best_labels, best, reached, since_best = labels.copy(), 0.0, 0.0, 0
    for _ in range(n):
        node, target = divmod(int(gains.argmax()), count)
        reached += 2 * float(gains[node, target])
        source = int(labels[node])
        labels[node] = target
        column = weights.column(node)
        gains[:, source] -= column
        gains[:, target] += column
        inside, left = labels == target, labels == source
        gains[inside] -= column[inside, None]
        gains[left] += column[left, None]
        gains[node] = -np.inf
        if reached > best + LEAST_GAIN:
            best_labels, best, since_best = labels.copy(), reached, 0
        else:
            since_best += 1
        if since_best > PATIENCE:
            break
    return best_labels, best


def _merged(weights: DegreeCorrected, labels: Integers) -> Integers:
    """The partition with communities merged, best pair first, while that gains."""
    count = int(labels.max()) + 1
    between = np.zeros((count, count))
    np.add.at(between, labels, sums_by_community(weights, labels, count))
    names = np.arange(count)
    np.fill_diagonal(between, -np.inf)
    while count > 1:
        target, source = divmod(int(between.argmax()), count)
        if between[target, source] <= LEAST_GAIN:
            break
        between[target] += between[source]
        between[:, target] += between[:, source]
        between[target, target] = -np.inf
        between[source] = between[:, source] = -np.inf
        names[names == source] = target
    return np.unique(names[labels], return_inverse=True)[1]
