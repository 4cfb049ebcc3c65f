"""Stability of clusters: similarity adjusted for chance, and how well each cluster is recovered."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.jaccard import Labels, best_match_jaccard
from harness.metrics.partition import unassigned_as_singletons
from harness.plugin.values import Floats, Integers

# Random relabellings per estimate of chance; its standard error is a tenth of their deviation.
RELABELLINGS = 100
# A cluster is dissolved if its best Jaccard index is at most this (Hennig 2007, section 4).
DISSOLVED = 0.5


def adjusted_jaccard(reference: ArrayLike, other: ArrayLike) -> float:
    """Compute `best_match_jaccard`, adjusted for chance.

    (J − E) / (1 − E), as Hubert and Arabie adjust the Rand index. E is the mean of J over 100
    random relabellings with a fixed seed, which keep the sizes of all clusters.

    Parameters
    ----------
    reference, other : array_like of int, shape (n,)
        Labels of the same n nodes, as clusterers return them. Each node labelled −1
        (unassigned) is a cluster of its own.

    Returns
    -------
    float
        1 for equal partitions, 0 for the similarity by chance. NaN if the reference is trivial (one
        cluster of all nodes, or only singletons); 0 if only the other is.

    Raises
    ------
    ValueError
        If the partitions have different numbers of nodes.

    References
    ----------
    Hennig 2007, "Cluster-wise assessment of cluster stability".
    Hubert and Arabie 1985, "Comparing partitions".

    Examples
    --------
    >>> harness.adjusted_jaccard(np.array([0, 0, 0, 1, 1, 1]), np.array([5, 5, 5, 2, 2, 2]))
    1.0
    >>> harness.adjusted_jaccard(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 0, 0, 0, 0]))
    0.0
    """
    found = best_match_jaccard(reference, other)
    first, second = _sizes(np.asarray(reference)), _sizes(np.asarray(other))
    if _is_trivial(first):
        return float("nan")
    if _is_trivial(second):
        return 0.0
    by_chance = _expected(first, second)
    return (found - by_chance) / (1 - by_chance)


def cluster_stabilities(
    reference: Labels, others: Iterable[Labels]
) -> list[tuple[int, int, float]]:
    """How well other partitions recover each cluster of at least two nodes, ordered by label.

    Returns label, size, and the mean over the others of the best Jaccard index γ(C, P′) = max_D
    |C ∩ D| / |C ∪ D|. Clusters above .75 are valid, above .85 highly stable (Hennig 2007). Empty
    without others.
    """
    partitions = [unassigned_as_singletons(other) for other in others]
    if not partitions:
        return []
    found = []
    for label in np.unique(reference[reference >= 0]).tolist():
        inside = reference == label
        size = int(np.count_nonzero(inside))
        if size >= 2:
            best = np.array([_best_overlap(inside, size, partition) for partition in partitions])
            found.append((label, size, float(best.mean())))
    return found


def _best_overlap(inside: NDArray[np.bool_], size: int, partition: Integers) -> float:
    shared = np.bincount(partition[inside], minlength=partition.max() + 1)
    return float((shared / (size + np.bincount(partition) - shared)).max())


def _sizes(labels: Labels) -> tuple[int, ...]:
    return tuple(sorted(np.bincount(unassigned_as_singletons(labels)).tolist(), reverse=True))


def _is_trivial(sizes: tuple[int, ...]) -> bool:
    return len(sizes) == 1 or sizes[0] == 1


@lru_cache(maxsize=4096)
def _expected(first: tuple[int, ...], second: tuple[int, ...]) -> float:
    """The mean of J over random relabellings of partitions with these cluster sizes."""
    rows, columns = _without_singletons(first), _without_singletons(second)
    random = np.random.default_rng(0)
    dealt = random.permuted(np.tile(columns, (RELABELLINGS, 1)), axis=1)
    width, height = columns.max() + 1, rows.max() + 1
    flat = (np.arange(RELABELLINGS)[:, None] * height + rows) * width + dealt
    shared = np.bincount(flat.ravel(), minlength=RELABELLINGS * height * width)
    table = shared.reshape(RELABELLINGS, height, width)
    return 0.5 * (
        _expected_best(table, first, second)
        + _expected_best(table.transpose(0, 2, 1), second, first)
    )


def _without_singletons(sizes: tuple[int, ...]) -> Integers:
    """Labels (n,) of clusters of decreasing sizes; all singletons share the last label."""
    several = [size for size in sizes if size > 1]
    alone = sum(sizes) - sum(several)
    return np.repeat(np.arange(len(several) + 1), [*several, alone])


def _expected_best(
    table: NDArray[np.integer[Any]], own: tuple[int, ...], others: tuple[int, ...]
) -> float:
    """The mean over contingency tables (relabellings, own, others) of Σ_C |C|/n γ(C, P′).

    A singleton lies in cluster D with probability |D|/n and has γ = 1/|D| there: it expects the
    number of clusters over n. A larger C has at least 1/|C| if it contains a singleton.
    """
    nodes = sum(own)
    sizes = np.array([size for size in own if size > 1])
    other_sizes = np.array([size for size in others if size > 1])
    larger = table[:, : len(sizes), : len(other_sizes)]
    overlap = larger / (sizes[:, None] + other_sizes - larger)
    with_singletons = (table[:, : len(sizes), len(other_sizes) :] > 0) / sizes[:, None]
    best = np.concatenate([overlap, with_singletons], axis=2).max(axis=2)
    alone = nodes - int(sizes.sum())
    simulated: Floats = best @ sizes / nodes
    return float(simulated.mean()) + alone / nodes * len(others) / nodes
