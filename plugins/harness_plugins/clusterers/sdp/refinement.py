"""Partitions of higher modularity near a given one: nodes move, communities merge."""

import numpy as np

from harness import Floats, Integers
from harness_plugins.clusterers.sdp.weights import DegreeCorrected

# Modularity below which a gain is rounding.
LEAST_GAIN = 1e-12
# Passes over all nodes and communities.
MOST_PASSES = 20
# Moves without a new best partition at which a pass ends.
PATIENCE = 60


def refined(weights: DegreeCorrected, labels: Integers) -> Integers:
    """A partition 0 … k − 1, (n,), of modularity no less, which neither move nor merger improves.

    weights: the symmetric modularity matrix. In each pass every node moves once, the best move of
    all that are left first, be it a loss or not; the best partition on the way is kept (Kernighan
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
    # One community more, an empty one, so that nodes may part from all others.
    count = int(labels.max()) + 2
    everyone = np.arange(n)
    labels = labels.copy()
    sums = sums_by_community(weights, labels, count)
    loops = weights.observed.diagonal() - weights.sent * weights.received
    # Half of what a move adds to modularity; −∞ for staying, and for nodes that have moved.
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
        kept, gone = divmod(int(between.argmax()), count)
        if between[kept, gone] <= LEAST_GAIN:
            break
        between[kept] += between[gone]
        between[:, kept] += between[:, gone]
        between[kept, kept] = -np.inf
        between[gone] = between[:, gone] = -np.inf
        names[names == gone] = kept
    return np.unique(names[labels], return_inverse=True)[1]
