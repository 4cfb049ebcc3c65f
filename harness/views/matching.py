"""Two partitions compared in the terminal: which clusters became which."""

from collections.abc import Iterable, Iterator, Sequence
from math import isnan

from rich.console import Console

from harness.metrics.jaccard import best_match_jaccard
from harness.metrics.matching import Correspondence, best_unions, match
from harness.metrics.stability import DISSOLVED
from harness.plugin.values import Integers
from harness.views.tables import CAPTION, NOTHING, Column, number, print_text, show_table


def show(heading: str, first: Integers, second: Integers, console: Console) -> None:
    """Print the correspondences, and the clusters that fit another union better."""
    print_text(console, heading)
    correspondences = match(first, second).correspondences
    if correspondences:
        show_table(console, COLUMNS, correspondences, caption=_caption(first, second))
    else:
        print_text(console, "Neither partition has a cluster of two nodes or more.", CAPTION)


def _labels(labels: Sequence[int]) -> str:
    return " + ".join(map(str, labels)) or NOTHING


def _caption(first: Integers, second: Integers) -> str:
    matching, jaccard = match(first, second), best_match_jaccard(first, second)
    whole = "undefined" if isnan(jaccard) else number(jaccard)
    unassigned = (
        f" Nodes in no cluster: {matching.unassigned_first} of A, {matching.unassigned_second} of "
        "B; they count against the clusters that have them in the other."
        if matching.unassigned_first or matching.unassigned_second
        else ""
    )
    of_first = ((each.first, each.jaccard) for each in matching.correspondences)
    of_second = ((each.second, each.jaccard) for each in matching.correspondences)
    better = [
        *_better("A", first, "B", second, of_first),
        *_better("B", second, "A", first, of_second),
    ]
    elsewhere = f" More like another union than what they are matched with: {'; '.join(better)}."
    return (
        "Clusters are numbered from 1, the largest first. "
        f"Matched in all: {number(matching.score)}, the mean Jaccard index over the nodes of both. "
        f"Without unions: {whole}, best matches cluster by cluster. Jaccard: the nodes that A and "
        f"B share of those in either; there are {matching.nodes}.{unassigned}"
        f"{elsewhere if better else ''}"
    )


def _better(
    own: str,
    labels: Integers,
    other: str,
    others: Integers,
    matched: Iterable[tuple[Sequence[int], float]],
) -> Iterator[str]:
    """The clusters that a union in the other fits better than their correspondence does."""
    reached = {label: jaccard for cluster, jaccard in matched for label in cluster}
    for union in best_unions(labels, others):
        if union.jaccard > max(DISSOLVED, reached[union.label]):
            yield f"{own} {union.label} with {other} {_labels(union.union)} ({union.jaccard:.3f})"


COLUMNS: Sequence[Column[Correspondence]] = (
    Column("A", lambda each: _labels(each.first), words=True, width=6),
    Column("nodes", lambda each: str(each.first_size or NOTHING)),
    Column("B", lambda each: _labels(each.second), words=True, width=6),
    Column("nodes", lambda each: str(each.second_size or NOTHING)),
    Column("shared", lambda each: str(each.shared or NOTHING)),
    Column("Jaccard", lambda each: number(each.jaccard)),
    Column("kind", lambda each: each.kind, words=True),
)
