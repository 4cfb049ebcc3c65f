"""How well clusters are found again: likeness adjusted for chance, and each cluster on its own."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.jaccard import best_match_jaccard
from harness.metrics.partition import unassigned_as_singletons
from harness.plugin.values import Floats, Integers

# Relabellings that chance is estimated from; its standard error is a tenth of their spread.
RELABELLINGS = 100
# A cluster whose best match is no better is dissolved (Hennig 2007, section 4).
DISSOLVED = 0.5
Labels = NDArray[np.integer[Any]]


def adjusted_jaccard(reference: Labels, other: Labels) -> float:
    """`best_match_jaccard` of labels (n,), adjusted for chance: 1 is the same, 0 is chance.

    (J − E) / (1 − E) with E the mean of J over random relabellings that keep the sizes of all
    clusters, as Hubert and Arabie (1985) adjust the Rand index. NaN where the reference is trivial,
    one cluster or singletons only; 0 where the other is, as every relabelling of it is as alike.
    """
    first, second = _sizes(reference), _sizes(other)
    if _is_trivial(first):
        return float("nan")
    if _is_trivial(second):
        return 0.0
    by_chance = _expected(first, second)
    return (best_match_jaccard(reference, other) - by_chance) / (1 - by_chance)


@dataclass(frozen=True)
class ClusterStability:
    """How well one cluster is found again in other partitions.

    stability: the mean over them of its largest Jaccard index with a cluster of theirs;
    dissolved: in what share of them that is no more than a half.
    """

    label: int
    size: int
    stability: float
    dissolved: float


def cluster_stabilities(reference: Labels, others: Iterable[Labels]) -> list[ClusterStability]:
    """For each cluster of two nodes or more of labels (n,), how others (n,) have it.

    Cluster-wise assessment after Hennig 2007, "Cluster-wise assessment of cluster stability":
    γ(C, P′) = max_D |C ∩ D| / |C ∪ D|. Above .75 a cluster is held to be valid, above .85 highly
    stable. In the order of their labels; empty where there are no others.
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
            dissolved = float(np.mean(best <= DISSOLVED))
            found.append(ClusterStability(label, size, float(best.mean()), dissolved))
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
    """The mean of J over relabellings, for partitions of these sizes."""
    nodes = sum(first)
    rows, columns = _without_singletons(first), _without_singletons(second)
    random = np.random.default_rng(0)
    dealt = random.permuted(np.tile(columns, (RELABELLINGS, 1)), axis=1)
    width, height = columns.max() + 1, rows.max() + 1
    places = (np.arange(RELABELLINGS)[:, None] * height + rows) * width + dealt
    shared = np.bincount(places.ravel(), minlength=RELABELLINGS * height * width)
    table = shared.reshape(RELABELLINGS, height, width)
    return 0.5 * (
        _expected_best(table, first, second, nodes)
        + _expected_best(table.transpose(0, 2, 1), second, first, nodes)
    )


def _without_singletons(sizes: tuple[int, ...]) -> Integers:
    """Labels (n,) of clusters of falling sizes; all singletons share the last label."""
    several = [size for size in sizes if size > 1]
    alone = sum(sizes) - sum(several)
    return np.repeat(np.arange(len(several) + 1), [*several, alone])


def _expected_best(
    table: NDArray[np.integer[Any]], own: tuple[int, ...], others: tuple[int, ...], nodes: int
) -> float:
    """The mean over tables (relabellings, own, others) of Σ_C |C|/n γ(C, P′).

    A singleton lies in a cluster D with probability |D|/n and is 1/|D| of it: in the mean it
    contributes the number of clusters over n. For a larger C a singleton inside it is 1/|C|.
    """
    sizes = np.array([size for size in own if size > 1])
    other_sizes = np.array([size for size in others if size > 1])
    larger = table[:, : len(sizes), : len(other_sizes)]
    overlap = larger / (sizes[:, None] + other_sizes - larger)
    with_singletons = (table[:, : len(sizes), len(other_sizes) :] > 0) / sizes[:, None]
    best = np.concatenate([overlap, with_singletons], axis=2).max(axis=2)
    alone = nodes - int(sizes.sum())
    simulated: Floats = best @ sizes / nodes
    return float(simulated.mean()) + alone / nodes * len(others) / nodes
