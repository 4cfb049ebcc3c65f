"""Two partitions compared in the terminal: which clusters became which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console

from harness.metrics.jaccard import best_match_jaccard
from harness.metrics.matching import BestUnion, Correspondence, Matching, best_unions, match
from harness.metrics.stability import DISSOLVED
from harness.plugin.values import Integers
from harness.store import none_for_nan
from harness.views.tables import CAPTION, NOTHING, Column, number, print_text, show_table


@dataclass(frozen=True)
class PartitionComparison:
    """How alike two partitions are.

    jaccard is the best-match Jaccard index of the whole partitions, None if one of them is trivial;
    first_unions and second_unions are each cluster's best union in the other.
    """

    jaccard: float | None
    matching: Matching
    first_unions: Sequence[BestUnion]
    second_unions: Sequence[BestUnion]

    @classmethod
    def of(cls, first: Integers, second: Integers) -> "PartitionComparison":
        """Compare labels (n,) of the same nodes."""
        jaccard = none_for_nan(best_match_jaccard(first, second))
        unions = best_unions(first, second), best_unions(second, first)
        return cls(jaccard, match(first, second), *unions)


def show(heading: str, comparison: PartitionComparison, console: Console) -> None:
    """Print the correspondences, and the clusters that fit another union better."""
    print_text(console, heading, wrap=False)
    correspondences = comparison.matching.correspondences
    if correspondences:
        show_table(console, COLUMNS, correspondences, caption=_caption(comparison))
    else:
        print_text(console, "Neither partition has a cluster of two nodes or more.", CAPTION)


def _labels(labels: Sequence[int]) -> str:
    return " + ".join(map(str, labels)) or NOTHING


def _caption(comparison: PartitionComparison) -> str:
    matching = comparison.matching
    whole = "undefined" if comparison.jaccard is None else number(comparison.jaccard)
    unassigned = (
        f" Nodes in no cluster: {matching.unassigned_first} of A, {matching.unassigned_second} of "
        "B; they count against the clusters that have them in the other."
        if matching.unassigned_first or matching.unassigned_second
        else ""
    )
    reached_first, reached_second = _reached(matching)
    better = [
        *_better("A", "B", comparison.first_unions, reached_first),
        *_better("B", "A", comparison.second_unions, reached_second),
    ]
    elsewhere = f" More like another union than what they are matched with: {'; '.join(better)}."
    return (
        f"Matched in all: {number(matching.score)}, the mean Jaccard index over the nodes of both. "
        f"Without unions: {whole}, best matches cluster by cluster. Jaccard: the nodes that A and "
        f"B share of those in either; there are {matching.nodes}.{unassigned}"
        f"{elsewhere if better else ''}"
    )


def _reached(matching: Matching) -> tuple[dict[int, float], dict[int, float]]:
    """The Jaccard index of each cluster's correspondence, by label, for both sides."""
    first: dict[int, float] = {}
    second: dict[int, float] = {}
    for each in matching.correspondences:
        first.update(dict.fromkeys(each.first, each.jaccard))
        second.update(dict.fromkeys(each.second, each.jaccard))
    return first, second


def _better(
    own: str, other: str, unions: Sequence[BestUnion], reached: Mapping[int, float]
) -> list[str]:
    """The clusters that a union in the other fits better than their correspondence does."""
    return [
        f"{own} {union.label} with {other} {_labels(union.union)} ({union.jaccard:.3f})"
        for union in unions
        if union.jaccard > max(DISSOLVED, reached[union.label])
    ]


COLUMNS: Sequence[Column[Correspondence]] = (
    Column("A", lambda each: _labels(each.first), words=True, width=6),
    Column("nodes", lambda each: str(each.first_size or NOTHING)),
    Column("B", lambda each: _labels(each.second), words=True, width=6),
    Column("nodes", lambda each: str(each.second_size or NOTHING)),
    Column("shared", lambda each: str(each.shared or NOTHING)),
    Column("Jaccard", lambda each: number(each.jaccard)),
    Column("kind", lambda each: each.kind, words=True),
)
