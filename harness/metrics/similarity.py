"""Similarity of many partitions of the same nodes, by two measures adjusted for chance.

The expectation under chance depends only on cluster sizes, so it is computed once per size instead
of once per pair of partitions.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from harness.metrics.information import expected_information, n_log_n
from harness.metrics.jaccard import Labels, Memberships, best_match_jaccards_between
from harness.metrics.stability import RELABELLINGS
from harness.plugin.values import Floats, Integers


@dataclass(frozen=True, eq=False)
class Comparable:
    """Partitions of n nodes, with the expectations under chance for their cluster sizes.

    sizes: (sizes,), all cluster sizes that occur, singletons included; numbers: (partitions,
    sizes), the number of clusters of each size; overlaps: (partitions, sizes), the expected best
    Jaccard index of a cluster of each size in a random relabelling of the partition; information:
    (sizes, sizes), what two clusters of these sizes contribute to the expected mutual information.
    Compare only parts of one whole.
    """

    members: Memberships
    sizes: Integers
    numbers: Floats
    overlaps: Floats
    information: Floats

    @classmethod
    def of(cls, partitions: Sequence[Labels]) -> Self:
        """Build from labels (n,) of at least one partition; unassigned nodes are singletons."""
        members = Memberships.of(partitions)
        sizes = np.unique(members.around)
        # Each cluster of s nodes is counted s times.
        numbers = np.array(
            [
                np.bincount(around, minlength=members.n + 1)[sizes] / sizes
                for around in members.around
            ]
        )
        overlaps = np.array([*_expected_overlaps(members, sizes)])
        return cls(members, sizes, numbers, overlaps, expected_information(sizes, members.n))

    def part(self, first: int, end: int) -> Self:
        """The partitions with indices first … end − 1."""
        return replace(
            self,
            members=self.members.part(first, end),
            numbers=self.numbers[first:end],
            overlaps=self.overlaps[first:end],
        )


def adjusted_mutual_informations(first: Comparable, second: Comparable) -> Floats:
    """Adjusted mutual information of each first with each second partition, (first, second).

    (I − E) / (mean(H₁, H₂) − E), where E is the mean of I over random relabellings that keep the
    sizes of all clusters (Vinh, Epps and Bailey 2010); 1 for equal partitions, 0 for chance. NaN
    where either is trivial, that is one cluster of all nodes or singletons only.
    """
    # n·I = n log n + Σ x log x over cells of the table − Σ a log a − Σ b log b over clusters. Cells
    # of singletons are 1 and add nothing.
    n = first.members.n
    products = n_log_n(n)
    shared = products[first.members.shared(second.members).astype(np.int64)]
    by_second = second.members.joined(np.add, first.members.joined(np.add, shared).T).T
    of_sizes = products[first.sizes]
    own, other = (each.numbers @ of_sizes for each in (first, second))
    information = np.log(n) + (by_second - own[:, None] - other) / n
    entropies = np.log(n) - (own[:, None] + other) / (2 * n)
    by_chance = first.numbers @ first.information @ second.numbers.T
    return _adjusted(information, by_chance, entropies, first, second)


def adjusted_jaccards(first: Comparable, second: Comparable) -> Floats:
    """Chance-adjusted best-match Jaccard similarity of all pairs, (first, second).

    As `harness.metrics.stability.adjusted_jaccard`, but chance is estimated from another 100
    relabellings, and the result is NaN where either partition is trivial.
    """
    n = first.members.n
    forth = (first.numbers * first.sizes) @ second.overlaps.T
    back = (second.numbers * second.sizes) @ first.overlaps.T
    found = best_match_jaccards_between(first.members, second.members)
    return _adjusted(found, (forth + back.T) / (2 * n), np.ones_like(found), first, second)


def _adjusted(
    found: Floats, by_chance: Floats, most: Floats, first: Comparable, second: Comparable
) -> Floats:
    defined = ~first.members.trivial[:, None] & ~second.members.trivial
    adjusted = np.full_like(found, np.nan)
    np.divide(found - by_chance, most - by_chance, out=adjusted, where=defined)
    return adjusted


def _expected_overlaps(members: Memberships, sizes: Integers) -> Iterator[Floats]:
    """For each partition, the expected best Jaccard index of a random cluster of each size.

    A random order of the nodes gives a random cluster of every size s: its first s nodes. A
    singleton expects the number of clusters over n, as in `harness.metrics.stability`.
    """
    n = members.n
    orders = np.random.default_rng(0).permuted(np.tile(np.arange(n), (RELABELLINGS, 1)), axis=1)
    # The node at position i of an order is in the random clusters of all sizes above i.
    steps = np.searchsorted(sizes, np.arange(n) + 1)
    steps_of = np.arange(RELABELLINGS)[:, None] * (len(sizes) + 1) + steps
    first = 0
    for counted, around, clusters in zip(
        members.counts.tolist(), members.around, members.cluster_counts.tolist(), strict=True
    ):
        rows = slice(first, first + counted)
        first += counted
        if not counted or clusters == 1:
            yield np.full(len(sizes), clusters / n)
            continue
        # All singletons share the last label.
        labels = np.where(around > 1, members.nodes[rows].argmax(axis=0), counted)
        # Clusters first: the largest of few values is found soonest over the first axis.
        shape = counted + 1, RELABELLINGS, len(sizes) + 1
        flat = labels[orders] * (shape[1] * shape[2]) + steps_of
        table = np.bincount(flat.ravel(), minlength=math.prod(shape)).reshape(shape)
        inside = table[:, :, :-1].cumsum(axis=2, dtype=np.float64)
        larger = inside[:counted]
        best = (larger / (sizes + members.sizes[rows, None, None] - larger)).max(axis=0)
        best = np.maximum(best, (inside[counted] > 0) / sizes)
        found = best.mean(axis=0)
        found[sizes == 1] = clusters / n
        yield found


def between_groups(similarity: Floats, groups: Integers) -> Floats:
    """Mean similarity (items, items) between groups (items,) 0 … g − 1, without pairs of one item.

    Returns (g, g); NaN is undefined.
    """
    members = np.arange(groups.max(initial=-1) + 1)[:, None] == groups
    defined = ~np.isnan(similarity) & ~np.eye(len(similarity), dtype=bool)
    counts = members.astype(np.float64) @ defined @ members.T
    means = np.full(counts.shape, np.nan)
    sums = members @ np.where(defined, similarity, 0.0) @ members.T
    np.divide(sums, counts, out=means, where=counts > 0)
    return means
