"""Correspondence of the clusters of two partitions: same, split, merged, lost or new.

A cluster has at least two nodes. Nodes that are unassigned (−1) or alone in their label belong to
no cluster: otherwise scattered single nodes would form a perfect union for any cluster. Such a node
counts as unshared in a cluster that the other partition has it in.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.integer[Any]]
Kind = Literal["same", "split", "merge", "lost", "new"]

# By the number of clusters of both partitions; 2 is several.
KINDS: Mapping[tuple[int, int], Kind] = {
    (1, 1): "same", (1, 2): "split", (2, 1): "merge", (1, 0): "lost", (0, 1): "new"
}  # fmt: skip
FIRST, SECOND = 0, 1
# A cluster: its partition, and its index there in the order of the clusters' first nodes.
Cluster = tuple[int, int]
# Clusters of the partition that a cluster is not in, the nodes that it shares with them, and the
# nodes in either.
Union = tuple[list[Cluster], int, int]


@dataclass(frozen=True)
class BestUnion:
    """A cluster of one partition, and the most similar union of the other's clusters.

    union: the labels of the other's clusters by decreasing fraction inside this cluster, empty if
    none shares a node; union_size: their nodes; shared: the nodes in both; jaccard: the Jaccard
    index of cluster and union.
    """

    label: int
    size: int
    union: tuple[int, ...]
    union_size: int
    shared: int
    jaccard: float


@dataclass(frozen=True)
class Correspondence:
    """Clusters of the first partition that correspond to clusters of the second.

    kind: "same" is one to one, "split" one to several, "merge" several to one, "lost" one to none,
    "new" none to one; first, second: labels; sizes, shared and jaccard are those of the two unions.
    """

    kind: Kind
    first: tuple[int, ...]
    second: tuple[int, ...]
    first_size: int
    second_size: int
    shared: int
    jaccard: float


@dataclass(frozen=True)
class Matching:
    """A one-to-one assignment of all clusters of two partitions to correspondences.

    score: the mean Jaccard index of the correspondences, weighted by the nodes of both sides: 1 if
    one partition only splits and merges clusters of the other, 0 if nothing corresponds, NaN if
    neither has a cluster. unassigned_first, unassigned_second: the nodes in no cluster.
    Correspondences are ordered by the first partition's labels, new clusters last.
    """

    nodes: int
    correspondences: tuple[Correspondence, ...]
    score: float
    unassigned_first: int
    unassigned_second: int


def best_unions(partition: Labels, other: Labels) -> list[BestUnion]:
    """Find the most similar union of the other partition's clusters for each cluster.

    Among all unions U, the one with the largest Jaccard index |C ∩ U| / |C ∪ U| is found exactly;
    of several, the one with the fewest clusters. Returns one a cluster, ordered by label. Raises
    ValueError if the partitions have different numbers of nodes.

    >>> (union,) = best_unions(np.array([0, 0, 0, 0, 0]), np.array([1, 1, 2, 2, -1]))
    >>> union.union, union.jaccard
    ((1, 2), 0.8)
    """
    overlaps = _Overlaps(partition, other)
    found = []
    for cluster in overlaps.clusters(FIRST):
        members, shared, joined = overlaps.best_union(cluster, set())
        found.append(
            BestUnion(
                label=overlaps.labels[cluster],
                size=overlaps.sizes[cluster],
                union=tuple(overlaps.labels[member] for member in members),
                union_size=sum(overlaps.sizes[member] for member in members),
                shared=shared,
                jaccard=shared / joined,
            )
        )
    return sorted(found, key=lambda union: union.label)


def match(first: Labels, second: Labels) -> Matching:
    """Match the clusters of two partitions, so that each is in one correspondence.

    Greedy: the cluster and the union of the other side's clusters with the highest Jaccard index
    are matched first, then those among the remaining clusters, until no two of them share a node.
    Ties are broken by more shared nodes, then fewer clusters, then node order, so that labels do
    not matter and swapping the partitions swaps the sides. Raises ValueError if the partitions have
    different numbers of nodes.

    >>> found = match(np.array([0, 0, 0, 0, 1, 1]), np.array([5, 5, 6, 6, 7, 7]))
    >>> [(each.kind, each.first, each.second) for each in found.correspondences]
    [('split', (0,), (5, 6)), ('same', (1,), (7,))]
    """
    overlaps = _Overlaps(first, second)
    matched = [overlaps.correspondence(*sides) for sides in _stable(overlaps)]
    ordered = sorted(matched, key=lambda group: (not group.first, group.first, group.second))
    weights = [group.first_size + group.second_size for group in ordered]
    weighted = sum(weight * group.jaccard for weight, group in zip(weights, ordered, strict=True))
    return Matching(
        nodes=len(first),
        correspondences=tuple(ordered),
        score=weighted / sum(weights) if weights else float("nan"),
        unassigned_first=len(first) - overlaps.clustered(FIRST),
        unassigned_second=len(first) - overlaps.clustered(SECOND),
    )


class _Overlaps:
    """The clusters of two partitions, and the number of nodes that each pair shares."""

    def __init__(self, first: Labels, second: Labels) -> None:
        if len(first) != len(second):
            raise ValueError(f"partitions of {len(first)} and of {len(second)} nodes")
        self.labels: dict[Cluster, int] = {}
        self.sizes: dict[Cluster, int] = {}
        self.shared: dict[Cluster, dict[Cluster, int]] = {}
        self._meetings: dict[tuple[Cluster, Cluster], int] = {}
        numbers = [self._number(side, labels) for side, labels in enumerate((first, second))]
        for node, (row, column) in enumerate(zip(*numbers, strict=True)):
            if row >= 0 and column >= 0:
                one, other = (FIRST, row), (SECOND, column)
                self._meetings.setdefault((one, other), node)
                common = self.shared[one].get(other, 0) + 1
                self.shared[one][other] = self.shared[other][one] = common

    def _number(self, side: int, labels: Labels) -> list[int]:
        """The index of each node's cluster, −1 for none, in the order of their first nodes."""
        names, firsts, sizes = np.unique(labels, return_index=True, return_counts=True)
        several = (names >= 0) & (sizes >= 2)
        names, sizes = names[several], sizes[several]
        numbers = {}
        for number, index in enumerate(np.argsort(firsts[several]).tolist()):
            cluster = (side, number)
            numbers[int(names[index])] = number
            self.labels[cluster] = int(names[index])
            self.sizes[cluster] = int(sizes[index])
            self.shared[cluster] = {}
        return [numbers.get(label, -1) for label in labels.tolist()]

    def clusters(self, side: int) -> list[Cluster]:
        return [cluster for cluster in self.sizes if cluster[0] == side]

    def clustered(self, side: int) -> int:
        return sum(self.sizes[cluster] for cluster in self.clusters(side))

    def best_union(self, centre: Cluster, without: set[Cluster]) -> Union:
        """The smallest union with the largest Jaccard index, among clusters not in `without`.

        |C ∩ U| / |C ∪ U| = Σ a_D / (|C| + Σ b_D) with a_D = |C ∩ D| and b_D = |D − C|. With λ the
        maximum, the best unions hold every D with a_D / b_D > λ and none below (Dinkelbach 1967):
        they are prefixes of the clusters by decreasing a_D / b_D, the first of them the smallest.
        """

        def inside(member: Cluster) -> tuple[float, int]:
            # Orders as a_D / b_D does, without division by zero. The order of ties is irrelevant:
            # all of them are in the union, or none.
            return -self.shared[centre][member] / self.sizes[member], member[1]

        members: list[Cluster] = []
        shared, joined = 0, self.sizes[centre]
        for member in sorted(self.shared[centre].keys() - without, key=inside):
            common = self.shared[centre][member]
            outside = self.sizes[member] - common
            # a_D / b_D ≤ λ does not improve the union; integers compare exactly.
            if common * joined <= shared * outside:
                break
            members.append(member)
            shared, joined = shared + common, joined + outside
        return members, shared, joined

    def precedence(self, centre: Cluster, union: Union) -> tuple[Any, ...]:
        """A sort key of unions with members, best first; equal only for the same clusters."""
        members, shared, joined = union
        meetings = sorted(
            self._meetings[min(centre, member), max(centre, member)] for member in members
        )
        return -Fraction(shared, joined), -shared, len(meetings), meetings

    def correspondence(self, first: Sequence[Cluster], second: Sequence[Cluster]) -> Correspondence:
        sizes = [sum(self.sizes[cluster] for cluster in side) for side in (first, second)]
        shared = sum(self.shared[one].get(other, 0) for one in first for other in second)
        return Correspondence(
            kind=KINDS[min(len(first), 2), min(len(second), 2)],
            first=tuple(sorted(self.labels[cluster] for cluster in first)),
            second=tuple(sorted(self.labels[cluster] for cluster in second)),
            first_size=sizes[FIRST],
            second_size=sizes[SECOND],
            shared=shared,
            jaccard=shared / (sum(sizes) - shared),
        )


def _stable(overlaps: _Overlaps) -> Iterator[tuple[list[Cluster], list[Cluster]]]:
    """The two sides of each correspondence, best first, then the unmatched clusters."""
    taken: set[Cluster] = set()

    def best_of(clusters: Iterable[Cluster]) -> dict[Cluster, tuple[Any, list[Cluster]]]:
        unions = {cluster: overlaps.best_union(cluster, taken) for cluster in clusters}
        return {
            centre: (overlaps.precedence(centre, union), union[0])
            for centre, union in unions.items()
            if union[0]
        }

    candidates = best_of(overlaps.sizes)
    while candidates:
        centre, (_, members) = min(candidates.items(), key=lambda candidate: candidate[1][0])
        sides: tuple[list[Cluster], list[Cluster]] = [], []
        for cluster in (centre, *members):
            sides[cluster[0]].append(cluster)
            taken.add(cluster)
            candidates.pop(cluster, None)
        yield sides
        outdated = [key for key, (_, union) in candidates.items() if not taken.isdisjoint(union)]
        for cluster in outdated:
            del candidates[cluster]
        candidates |= best_of(outdated)
    for cluster in overlaps.sizes.keys() - taken:
        yield ([cluster], []) if cluster[0] == FIRST else ([], [cluster])
