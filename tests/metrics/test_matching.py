import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from harness.metrics.matching import Correspondence, Matching, best_unions, match

Labels = NDArray[np.int64]
Nodes = frozenset[int]


@st.composite
def partition_pairs(draw: st.DrawFn) -> tuple[Labels, Labels]:
    """Two partitions of the same nodes as labels ≥ −1, of up to five clusters."""
    n = draw(st.integers(1, 24))
    labels = st.lists(st.integers(-1, 4), min_size=n, max_size=n)
    return np.array(draw(labels)), np.array(draw(labels))


def clusters(labels: Labels) -> dict[int, Nodes]:
    """By label the nodes of every cluster of at least two."""
    found = {
        int(label): frozenset(np.flatnonzero(labels == label).tolist())
        for label in np.unique(labels[labels >= 0])
    }
    return {label: nodes for label, nodes in found.items() if len(nodes) >= 2}


def union(parts: dict[int, Nodes], labels: tuple[int, ...]) -> Nodes:
    return frozenset().union(*(parts[label] for label in labels))


def jaccard(one: Nodes, other: Nodes) -> Fraction:
    return Fraction(len(one & other), len(one | other))


def subsets(labels: dict[int, Nodes]) -> list[tuple[int, ...]]:
    return [
        chosen for size in range(len(labels) + 1) for chosen in itertools.combinations(labels, size)
    ]


def as_sets(
    matching: Matching, first: Labels, second: Labels
) -> set[tuple[str, Nodes, Nodes, float]]:
    """The correspondences without the names of labels."""
    one, other = clusters(first), clusters(second)
    return {
        (each.kind, union(one, each.first), union(other, each.second), each.jaccard)
        for each in matching.correspondences
    }


@settings(max_examples=300)
@given(partition_pairs())
def test_the_best_union_is_the_smallest_best_one_of_all(pair: tuple[Labels, Labels]) -> None:
    own, others = clusters(pair[0]), clusters(pair[1])

    found = best_unions(*pair)

    assert [each.label for each in found] == sorted(own)
    for each in found:
        nodes = own[each.label]
        by_index = {chosen: jaccard(nodes, union(others, chosen)) for chosen in subsets(others)}
        best = max(by_index.values())
        fewest = min(len(chosen) for chosen, index in by_index.items() if index == best)
        assert each.jaccard == float(best)
        assert by_index[tuple(sorted(each.union))] == best
        assert len(each.union) == fewest
        assert each.union_size == len(union(others, each.union))
        assert each.shared == len(nodes & union(others, each.union))


@settings(max_examples=300)
@given(partition_pairs())
def test_every_cluster_is_in_one_correspondence(pair: tuple[Labels, Labels]) -> None:
    found = match(*pair).correspondences

    for side, labels in zip(("first", "second"), pair, strict=True):
        named = [label for each in found for label in getattr(each, side)]
        assert sorted(named) == sorted(clusters(labels))
    kinds = {
        (1, 1): "same", (1, 2): "split", (2, 1): "merge", (1, 0): "lost", (0, 1): "new",
    }  # fmt: skip
    for each in found:
        assert each.kind == kinds[min(len(each.first), 2), min(len(each.second), 2)]


@settings(max_examples=150)
@given(partition_pairs())
def test_the_matching_is_stable(
    pair: tuple[Labels, Labels],
) -> None:
    found = match(*pair).correspondences
    sides = clusters(pair[0]), clusters(pair[1])
    reached = [
        {label: each.jaccard for each in found for label in getattr(each, side)}
        for side in ("first", "second")
    ]

    for centre_side in (0, 1):
        own, others = sides[centre_side], sides[1 - centre_side]
        for centre, chosen in itertools.product(own, subsets(others)):
            index = float(jaccard(own[centre], union(others, chosen)))
            in_them = [reached[centre_side][centre], *(reached[1 - centre_side][c] for c in chosen)]
            assert max(in_them) >= index


@given(partition_pairs())
def test_indices_are_those_of_the_sets_and_the_score_their_mean_over_nodes(
    pair: tuple[Labels, Labels],
) -> None:
    one, other = clusters(pair[0]), clusters(pair[1])

    found = match(*pair)

    indices, weights = [], []
    for each in found.correspondences:
        left, right = union(one, each.first), union(other, each.second)
        assert (each.first_size, each.second_size) == (len(left), len(right))
        assert each.shared == len(left & right)
        assert each.jaccard == float(jaccard(left, right))
        indices.append(each.jaccard)
        weights.append(len(left) + len(right))
    if weights:
        assert found.score == pytest.approx(np.average(indices, weights=weights))
    else:
        assert math.isnan(found.score)
    assert found.unassigned_first == found.nodes - len(union(one, tuple(one)))
    assert found.unassigned_second == found.nodes - len(union(other, tuple(other)))


@given(partition_pairs())
def test_a_partition_matches_itself_cluster_by_cluster(pair: tuple[Labels, Labels]) -> None:
    found = match(pair[0], pair[0])

    assert {(each.kind, each.jaccard) for each in found.correspondences} <= {("same", 1.0)}
    assert all(each.first == each.second for each in found.correspondences)
    assert found.score == 1.0 or not found.correspondences


@given(partition_pairs(), st.permutations(range(5)), st.permutations(range(5)))
def test_renaming_labels_changes_nothing(
    pair: tuple[Labels, Labels], first_names: list[int], second_names: list[int]
) -> None:
    renamed = [
        np.array([*names, -1])[labels]
        for labels, names in zip(pair, (first_names, second_names), strict=True)
    ]

    found, again = match(*pair), match(*renamed)

    assert as_sets(again, *renamed) == as_sets(found, *pair)
    assert again.score == pytest.approx(found.score, nan_ok=True)


@given(partition_pairs())
def test_swapping_the_partitions_swaps_the_sides(pair: tuple[Labels, Labels]) -> None:
    first, second = pair
    turned = {"same": "same", "split": "merge", "merge": "split", "lost": "new", "new": "lost"}

    assert as_sets(match(second, first), second, first) == {
        (turned[kind], right, left, jaccard)
        for kind, left, right, jaccard in as_sets(match(first, second), first, second)
    }


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=12))
def test_a_refinement_has_score_one(nodes: list[tuple[int, int]]) -> None:
    # Every node twice, so that no cluster is a single node.
    coarse = np.array([block for block, _ in nodes for _ in range(2)])
    fine = np.array([3 * block + part for block, part in nodes for _ in range(2)])

    found = match(coarse, fine)

    assert {each.kind for each in found.correspondences} <= {"same", "split"}
    assert found.score == 1.0
    assert match(fine, coarse).score == 1.0


def test_three_clusters_against_four_show_the_one_that_was_split() -> None:
    three = np.repeat([0, 1, 2], [60, 50, 40])
    four = three.copy()
    four[80:110] = 3
    four[[0, 60, 149]] = [1, 0, 0]

    found = match(three, four)

    assert found.correspondences == (
        Correspondence("same", (0,), (0,), 60, 61, 59, 59 / 62),
        Correspondence("split", (1,), (1, 3), 50, 50, 49, 49 / 51),
        Correspondence("same", (2,), (2,), 40, 39, 39, 39 / 40),
    )
    assert found.score == pytest.approx((121 * 59 / 62 + 100 * 49 / 51 + 79 * 39 / 40) / 300)


def test_nodes_in_no_cluster_lower_the_index_of_clusters_that_contain_them_in_the_other() -> None:
    whole = np.array([0, 0, 0, 0, 1, 1])
    # A node unassigned, and one alone in its label.
    scattered = np.array([0, 0, -1, 5, 1, 1])

    found = match(whole, scattered)

    assert [each.jaccard for each in found.correspondences] == [2 / 4, 1.0]
    assert (found.unassigned_first, found.unassigned_second) == (0, 2)


def test_nodes_in_no_cluster_of_either_partition_are_ignored() -> None:
    labels = np.array([0, 0, 1, 1, -1, -1])

    assert match(labels, labels).score == 1.0


def test_scattered_nodes_form_no_union() -> None:
    (found,) = best_unions(np.zeros(4, dtype=int), np.arange(4))

    assert (found.union, found.jaccard) == ((), 0.0)


def test_clusters_without_a_counterpart_are_lost_or_new() -> None:
    found = match(np.array([0, 0, -1, -1]), np.array([-1, -1, 7, 7]))

    assert [(each.kind, each.first, each.second) for each in found.correspondences] == [
        ("lost", (0,), ()),
        ("new", (), (7,)),
    ]
    assert found.score == 0.0


@pytest.mark.parametrize("function", [best_unions, match])
def test_partitions_of_different_nodes_are_refused(function: object) -> None:
    with pytest.raises(ValueError, match="of 3 and of 4 nodes"):
        function(np.zeros(3, dtype=int), np.zeros(4, dtype=int))  # type: ignore[operator]
