"""Two partitions beside each other in the terminal: which clusters became which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.metrics.matching import BestUnion, Matching
from harness.metrics.stability import DISSOLVED
from harness.views.tables import NOTHING


@dataclass(frozen=True)
class PartitionComparison:
    """Two partitions, how they are called, and how alike they are.

    context: what is said of both; jaccard is the best-match Jaccard index of whole partitions,
    None where one of them is trivial; first_unions and second_unions are each cluster's best
    union in the other.
    """

    context: str
    first: str
    second: str
    matching: Matching
    jaccard: float | None
    first_unions: Sequence[BestUnion]
    second_unions: Sequence[BestUnion]


def show(likeness: PartitionComparison, console: Console) -> None:
    """Print the correspondences, and the clusters that fit another union better."""
    heading = [likeness.context, f"A: {likeness.first}", f"B: {likeness.second}"]
    console.print(Text("\n".join(line for line in heading if line)))
    if likeness.matching.correspondences:
        console.print(_table(likeness.matching))
    console.print(Text(_caption(likeness), style="italic dim"))


def _table(matching: Matching) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    for header in ("A", "B"):
        table.add_column(header, overflow="fold", min_width=6)
        table.add_column("nodes", justify="right", no_wrap=True)
    for header in ("shared", "Jaccard"):
        table.add_column(header, justify="right", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    for each in matching.correspondences:
        table.add_row(
            Text(_labels(each.first)),
            str(each.first_size or NOTHING),
            Text(_labels(each.second)),
            str(each.second_size or NOTHING),
            str(each.shared or NOTHING),
            f"{each.jaccard:.3f}",
            each.kind,
        )
    return table


def _labels(labels: Sequence[int]) -> str:
    return " + ".join(map(str, labels)) or NOTHING


def _caption(likeness: PartitionComparison) -> str:
    matching = likeness.matching
    if not matching.correspondences:
        return "Neither partition has a cluster of two nodes or more."
    whole = "undefined" if likeness.jaccard is None else f"{likeness.jaccard:.3f}"
    unassigned = (
        f" Nodes in no cluster: {matching.unassigned_first} of A, {matching.unassigned_second} of "
        "B; they count against the clusters that have them in the other."
        if matching.unassigned_first or matching.unassigned_second
        else ""
    )
    reached_first, reached_second = _reached(matching)
    better = [
        *_better("A", "B", likeness.first_unions, reached_first),
        *_better("B", "A", likeness.second_unions, reached_second),
    ]
    elsewhere = f" More like another union than what they are matched with: {'; '.join(better)}."
    return (
        f"Matched in all: {matching.score:.3f}, the mean Jaccard index over the nodes of both. "
        f"Without unions: {whole}, best matches cluster by cluster. Jaccard: the nodes that A and "
        f"B share of those in either; there are {matching.nodes}.{unassigned}"
        f"{elsewhere if better else ''}"
    )


def _reached(matching: Matching) -> tuple[dict[int, float], dict[int, float]]:
    """By label the Jaccard index of the correspondence that a cluster is in, for both sides."""
    first: dict[int, float] = {}
    second: dict[int, float] = {}
    for each in matching.correspondences:
        first.update(dict.fromkeys(each.first, each.jaccard))
        second.update(dict.fromkeys(each.second, each.jaccard))
    return first, second


def _better(
    own: str, other: str, unions: Sequence[BestUnion], reached: Mapping[int, float]
) -> list[str]:
    """The clusters that are found in a union, and more so than in their correspondence."""
    return [
        f"{own} {union.label} with {other} {_labels(union.union)} ({union.jaccard:.3f})"
        for union in unions
        if union.jaccard > max(DISSOLVED, reached[union.label])
    ]
