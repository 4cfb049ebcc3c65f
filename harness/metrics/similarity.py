"""How alike many partitions of the same nodes are, by two measures that are adjusted for chance.

What chance gives depends on the sizes of clusters alone, so it is worked out once for every size
and not once for every pair of partitions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.metrics.jaccard import best_match_jaccards_between
from harness.metrics.memberships import Memberships
from harness.metrics.stability import RELABELLINGS
from harness.plugin.values import Floats, Integers


@dataclass(frozen=True, eq=False)
class Comparable:
    """Partitions of n nodes, with what chance gives for the sizes of their clusters.

    sizes: (sizes,), all that clusters have, singletons among them; numbers: (partitions, sizes),
    how many clusters of each size; overlaps: (partitions, sizes), the largest Jaccard index that a
    cluster of that size has on the mean with a random relabelling of the partition; information:
    (sizes, sizes), what two clusters of these sizes add to the mutual information by chance.
    Only parts of the same whole can be compared.
    """

    members: Memberships
    sizes: Integers
    numbers: Floats
    overlaps: Floats
    information: Floats

    @classmethod
    def of(cls, partitions: Sequence[NDArray[np.integer[Any]]]) -> "Comparable":
        """Of labels (n,), one or more partitions; unassigned nodes (−1) are singletons."""
        members = Memberships.of(partitions)
        n = members.around.shape[1]
        sizes = np.unique(members.around)
        # A cluster of s nodes is met s times.
        numbers = np.array(
            [np.bincount(around, minlength=n + 1)[sizes] / sizes for around in members.around]
        )
        return cls(
            members,
            sizes,
            numbers,
            np.array([*_expected_overlaps(members, sizes)]),
            _expected_information(sizes, n),
        )

    def part(self, first: int, end: int) -> "Comparable":
        """The partitions from the first up to, not including, the end."""
        return Comparable(
            self.members.part(first, end),
            self.sizes,
            self.numbers[first:end],
            self.overlaps[first:end],
            self.information,
        )


def adjusted_mutual_informations(first: Comparable, second: Comparable) -> Floats:
    """AMI of partitions with others: (first, second); 1 is the same, 0 is chance.

    (I − E) / (mean(H₁, H₂) − E) with E the mean of I over relabellings that keep the sizes of all
    clusters (Vinh, Epps and Bailey 2010, "Information theoretic measures for clusterings
    comparison", with the arithmetic mean). NaN where either is trivial, one cluster of all nodes or
    singletons only.
    """
    # n·I = n log n + Σ x log x over cells of the table − Σ a log a − Σ b log b over clusters, where
    # a cell that a singleton has a part in is 1 and adds nothing.
    n = first.members.around.shape[1]
    products = _n_log_n(n)
    shared = products[first.members.shared(second.members).astype(np.int64)]
    by_second = second.members.joined(np.add, first.members.joined(np.add, shared).T).T
    of_sizes = products[first.sizes]
    own, other = (each.numbers @ of_sizes for each in (first, second))
    information = np.log(n) + (by_second - own[:, None] - other) / n
    entropies = np.log(n) - (own[:, None] + other) / (2 * n)
    by_chance = first.numbers @ first.information @ second.numbers.T
    return _adjusted(information, by_chance, entropies, first, second)


def adjusted_jaccards(first: Comparable, second: Comparable) -> Floats:
    """`harness.metrics.stability.adjusted_jaccard` of partitions with others: (first, second).

    (J − E) / (1 − E) with E the mean of J over relabellings that keep the sizes of all clusters; it
    is estimated from 100, which are others than there. NaN where either is trivial.
    """
    n = first.members.around.shape[1]
    forth = (first.numbers * first.sizes) @ second.overlaps.T
    back = (second.numbers * second.sizes) @ first.overlaps.T
    alike = best_match_jaccards_between(first.members, second.members)
    return _adjusted(alike, (forth + back.T) / (2 * n), np.ones_like(alike), first, second)


def _adjusted(
    found: Floats, by_chance: Floats, most: Floats, first: Comparable, second: Comparable
) -> Floats:
    defined = ~first.members.trivial[:, None] & ~second.members.trivial
    adjusted = np.full_like(found, np.nan)
    np.divide(found - by_chance, most - by_chance, out=adjusted, where=defined)
    return adjusted


def _n_log_n(most: int) -> Floats:
    """x log x for 0 … most, (most + 1,)."""
    numbers = np.arange(most + 1, dtype=np.float64)
    return numbers * np.log(np.maximum(numbers, 1))


def _expected_overlaps(members: Memberships, sizes: Integers) -> Iterator[Floats]:
    """For each partition, by size (sizes,), the mean largest Jaccard index by chance.

    The first nodes in a random order are a cluster of any size at once. A singleton lies in a
    cluster D with probability |D|/n and is 1/|D| of it: in the mean it finds the number of clusters
    over n. For a larger cluster a singleton inside it is 1 over its size.
    """
    n = members.around.shape[1]
    orders = np.random.default_rng(0).permuted(np.tile(np.arange(n), (RELABELLINGS, 1)), axis=1)
    # Which sizes a cluster has that a node at that place of the order is in: this and larger ones.
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
        # All singletons share a number, the last.
        labels = np.where(around > 1, members.nodes[rows].argmax(axis=0), counted)
        places = steps_of * (counted + 1) + labels[orders]
        table = np.bincount(
            places.ravel(), minlength=RELABELLINGS * (len(sizes) + 1) * (counted + 1)
        ).reshape(RELABELLINGS, len(sizes) + 1, counted + 1)
        inside = table[:, : len(sizes)].cumsum(axis=1)
        larger = inside[:, :, :counted]
        best = (larger / (sizes[:, None] + members.sizes[rows] - larger)).max(axis=2)
        best = np.maximum(best, (inside[:, :, counted] > 0) / sizes)
        found = best.mean(axis=0)
        found[sizes == 1] = clusters / n
        yield found


def _expected_information(sizes: Integers, n: int) -> Floats:
    """What two clusters of sizes a, b add to the mutual information by chance, (sizes, sizes).

    Σ_x x/n log(n x / (a b)) P(x), where x, what they share, is hypergeometric.
    """
    from scipy.special import gammaln

    factorials = gammaln(np.arange(n + 1) + 1.0)

    def chosen(of: Integers, count: Integers) -> Floats:
        return np.asarray(factorials[of] - factorials[count] - factorials[of - count])

    found = np.zeros((len(sizes), len(sizes)))
    for at, size in enumerate(sizes.tolist()):
        # Their other halves follow by symmetry.
        others = sizes[: at + 1, None]
        x = np.arange(1, int(size) + 1)
        possible = (x <= others) & (size - x <= n - others)
        inside = np.where(possible, x, np.maximum(size - (n - others), 0))
        ways = chosen(others, inside) + chosen(n - others, size - inside)
        chance = np.exp(ways - chosen(np.array(n), np.array(size)))
        terms = inside / n * np.log(np.maximum(n * inside, 1) / (size * others)) * chance
        found[at, : at + 1] = found[: at + 1, at] = np.where(possible, terms, 0).sum(axis=1)
    return found


def between_groups(alike: Floats, groups: Integers) -> Floats:
    """Means of alike (things, things) over pairs of different things, by their groups.

    groups: (things,), numbered 0 … g − 1; returns (g, g), NaN where no pair is defined.
    """
    members = np.arange(groups.max(initial=-1) + 1)[:, None] == groups
    defined = ~np.isnan(alike) & ~np.eye(len(alike), dtype=bool)
    counts = members.astype(np.float64) @ defined @ members.T
    means = np.full(counts.shape, np.nan)
    sums = members @ np.where(defined, alike, 0.0) @ members.T
    np.divide(sums, counts, out=means, where=counts > 0)
    return means
