"""Which clusters of one partition became which of another: kept, split, merged, lost or new.

A cluster is at least two nodes of one label. Nodes that are unassigned (−1) or alone in their
label are in no cluster, in either partition: otherwise any cluster would be the perfect union of
scattered single nodes. Such a node counts where the other partition has it in a cluster, as a
node of that cluster which nothing there shares; where neither has, it counts nowhere.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import itemgetter
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.integer[Any]]
Kind = Literal["same", "split", "merge", "lost", "new"]

# The two partitions.
FIRST, SECOND = 0, 1
# A cluster: its partition, and its number there, counted by first nodes.
Cluster = tuple[int, int]


@dataclass(frozen=True)
class BestUnion:
    """A cluster of one partition and the union of the other's clusters that is most like it.

    label and size: the cluster; union: the labels of the other's clusters, in the order of their
    share inside it, none where it shares no node with any; union_size: their nodes together;
    shared: the nodes in both; jaccard: shared / (size + union_size − shared).
    """

    label: int
    size: int
    union: tuple[int, ...]
    union_size: int
    shared: int
    jaccard: float


@dataclass(frozen=True)
class Correspondence:
    """Clusters of the first partition and those of the second that correspond to them.

    kind: "same" is one and one, "split" one of the first and several of the second, "merge"
    several and one, "lost" one of the first and none, "new" none and one. first and second are
    labels, the sizes are of their unions, shared are the nodes in both unions, jaccard is the
    unions' Jaccard index.
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
    """Every cluster of two partitions in one correspondence, and how alike they are in all.

    score is the mean Jaccard index of the correspondences, weighted by the nodes of both sides:
    1 where one partition only splits and merges whole clusters of the other, 0 where nothing
    corresponds, NaN where neither has a cluster. loose_first and loose_second are the nodes in no
    cluster. In the order of the first partition's labels, new clusters last.
    """

    nodes: int
    correspondences: tuple[Correspondence, ...]
    score: float
    loose_first: int
    loose_second: int


def best_unions(partition: Labels, other: Labels) -> list[BestUnion]:
    """For each cluster C of labels (n,) the union U of other's clusters of largest Jaccard index.

    |C ∩ U| / |C ∪ U| is the largest over all unions, and of the largest ones U has the fewest
    clusters. In the order of the labels. Raises ValueError if the lengths differ.

    Why it is exact: |C ∩ U| / |C ∪ U| = Σ a_D / (|C| + Σ b_D), a_D = |C ∩ D| and b_D = |D − C|
    summed over the clusters D in U. With λ the largest value, Σ (a_D − λ b_D) ≤ λ |C| for every
    union, and the best ones reach it: they hold every D with a_D / b_D > λ and none with less (the
    fractional programme of Dinkelbach 1967, "On nonlinear fractional programming"). So the best
    are found among the prefixes of the clusters by falling a_D / b_D, and the first best prefix,
    which leaves out those at λ itself, is the smallest.
    """
    overlaps = _Overlaps(partition, other)
    unions = [overlaps.best_union(cluster, set()) for cluster in overlaps.clusters(FIRST)]
    found = [
        BestUnion(
            label=overlaps.labels[union.centre],
            size=overlaps.sizes[union.centre],
            union=tuple(overlaps.labels[member] for member in union.members),
            union_size=union.size,
            shared=union.shared,
            jaccard=union.shared / union.joined,
        )
        for union in unions
    ]
    return sorted(found, key=lambda union: union.label)


def match(first: Labels, second: Labels) -> Matching:
    """Match the clusters of two partitions, labels (n,), each in one correspondence.

    The two sides of highest Jaccard index among all clusters with all unions of the other side
    come first, then those among the clusters that are left, and so on, until no two clusters left
    share a node. So no cluster with a union could be made a correspondence of higher index than
    those that all of its clusters are in. Between equal ones the one that shares more nodes comes
    first, then that of fewer clusters. Exchanging the partitions exchanges the sides; names and
    order of labels decide nothing. Raises ValueError if the lengths differ.
    """
    overlaps = _Overlaps(first, second)
    matched = [overlaps.correspondence(*sides) for sides in _stable(overlaps)]
    ordered = sorted(matched, key=lambda group: (not group.first, group.first, group.second))
    weights = [group.first_size + group.second_size for group in ordered]
    alike = sum(weight * group.jaccard for weight, group in zip(weights, ordered, strict=True))
    return Matching(
        nodes=len(first),
        correspondences=tuple(ordered),
        score=alike / sum(weights) if weights else float("nan"),
        loose_first=len(first) - overlaps.clustered(FIRST),
        loose_second=len(first) - overlaps.clustered(SECOND),
    )


@dataclass(frozen=True)
class _Union:
    """A cluster, the centre, with clusters of the other partition."""

    centre: Cluster
    members: tuple[Cluster, ...]
    size: int
    shared: int
    joined: int


class _Overlaps:
    """Two partitions' clusters, and how many nodes each two of them share."""

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
        """The number of each node's cluster, −1 for none; clusters are counted by first nodes."""
        names, firsts, sizes = np.unique(labels, return_index=True, return_counts=True)
        kept = (names >= 0) & (sizes >= 2)
        names, sizes = names[kept], sizes[kept]
        numbers = {}
        for number, index in enumerate(np.argsort(firsts[kept]).tolist()):
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

    def best_union(self, centre: Cluster, without: set[Cluster]) -> _Union:
        """The smallest union of largest Jaccard index, of clusters that are not in `without`."""

        def inside(member: Cluster) -> tuple[float, int]:
            # |C ∩ D| / |D| falls as a_D / b_D does, and is never divided by zero. Equal ones are
            # all in the union or all out of it.
            return -self.shared[centre][member] / self.sizes[member], member[1]

        members: list[Cluster] = []
        size, shared, joined = 0, 0, self.sizes[centre]
        for member in sorted(self.shared[centre].keys() - without, key=inside):
            common = self.shared[centre][member]
            outside = self.sizes[member] - common
            # In whole numbers, so that equal is equal: a_D / b_D ≤ λ betters nothing.
            if common * joined <= shared * outside:
                break
            members.append(member)
            size, shared, joined = size + self.sizes[member], shared + common, joined + outside
        return _Union(centre, tuple(members), size, shared, joined)

    def precedence(self, union: _Union) -> tuple[Any, ...]:
        """Sorts unions with members, best first; equal only for the same clusters."""
        meetings = sorted(
            self._meetings[min(union.centre, member), max(union.centre, member)]
            for member in union.members
        )
        return -Fraction(union.shared, union.joined), -union.shared, len(meetings), meetings

    def correspondence(self, first: Sequence[Cluster], second: Sequence[Cluster]) -> Correspondence:
        sizes = [sum(self.sizes[cluster] for cluster in side) for side in (first, second)]
        shared = sum(self.shared[one].get(other, 0) for one in first for other in second)
        return Correspondence(
            kind=_kind(len(first), len(second)),
            first=tuple(sorted(self.labels[cluster] for cluster in first)),
            second=tuple(sorted(self.labels[cluster] for cluster in second)),
            first_size=sizes[FIRST],
            second_size=sizes[SECOND],
            shared=shared,
            jaccard=shared / (sum(sizes) - shared),
        )


def _kind(first: int, second: int) -> Kind:
    if not second:
        return "lost"
    if not first:
        return "new"
    if first > 1:
        return "merge"
    return "split" if second > 1 else "same"


def _stable(overlaps: _Overlaps) -> Iterator[tuple[list[Cluster], list[Cluster]]]:
    """The two sides of each correspondence, best first, and then the clusters left over."""
    taken: set[Cluster] = set()

    def best_of(clusters: Iterable[Cluster]) -> dict[Cluster, tuple[tuple[Any, ...], _Union]]:
        unions = [overlaps.best_union(cluster, taken) for cluster in clusters]
        return {
            union.centre: (overlaps.precedence(union), union) for union in unions if union.members
        }

    candidates = best_of(overlaps.sizes)
    while candidates:
        _, chosen = min(candidates.values(), key=itemgetter(0))
        sides: tuple[list[Cluster], list[Cluster]] = [], []
        for cluster in (chosen.centre, *chosen.members):
            sides[cluster[0]].append(cluster)
            taken.add(cluster)
            candidates.pop(cluster, None)
        yield sides
        broken = [
            cluster
            for cluster, (_, union) in candidates.items()
            if not taken.isdisjoint(union.members)
        ]
        for cluster in broken:
            del candidates[cluster]
        candidates |= best_of(broken)
    for cluster in overlaps.sizes.keys() - taken:
        yield ([cluster], []) if cluster[0] == FIRST else ([], [cluster])
