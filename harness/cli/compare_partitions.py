"""`harness compare-partitions`: which clusters of one partition became which of another."""

import argparse
import json
import math
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.plugin.values import Integers
    from harness.views.matching import PartitionComparison

SUMMARY = "match the clusters of two partitions: kept, split, merged"

FILE_WIDTH = 120
SUFFIX = ".npy"
REFERENCES = """
PARTITION is METHOD, at the level that its selector chose, or METHOD@LEVEL. METHOD is a clusterer
of the run, or `truth` for planted communities. After the @, separated by commas, stand filters for
what the run has several of:
level=0.56 (or 0.56 alone), k=3 (the first level with three clusters) or selector=NAME; layer=0,
head=5, repeat=1, graph=NAME, extractor=NAME, images=SET.

  harness compare-partitions results/mine 00019-t-shirt --of louvain --with infomap
  harness compare-partitions results/mine 00019-t-shirt --of louvain@k=3 --with louvain@k=4
  harness compare-partitions mine.npy theirs.npy
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness compare-partitions`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = REFERENCES
    parser.add_argument(
        "first", type=Path, metavar="RUN", help="a run's folder; or an .npy file of labels (n,)"
    )
    parser.add_argument(
        "second", metavar="IMAGE", help="an image or map of the run; or another .npy file"
    )
    parser.add_argument("--of", metavar="PARTITION", help="the one partition")
    parser.add_argument("--with", dest="beside", metavar="PARTITION", help="the other")
    parser.add_argument("--json", action="store_true", help="as JSON, with every best union")


def run(arguments: argparse.Namespace) -> int:
    """Compare; returns the exit code."""
    of = _of_files if arguments.first.suffix == SUFFIX else _of_run
    context, first, second = of(arguments)
    likeness = _compared(context, first, second)
    if arguments.json:
        print(json.dumps(_document(likeness, first, second), indent=2))
    else:
        from rich.console import Console

        from harness.views.matching import show

        # A file or a pipe has no width of its own; the table's is as good as any.
        show(likeness, Console() if sys.stdout.isatty() else Console(width=FILE_WIDTH))
    return 0


@dataclass(frozen=True, eq=False)
class _Side:
    """One of the partitions: how it is called, its labels (n,), and where they come from."""

    name: str
    labels: "Integers"
    facts: Mapping[str, Any]


def _of_files(arguments: argparse.Namespace) -> tuple[str, _Side, _Side]:
    for flag, given in (("--of", arguments.of), ("--with", arguments.beside)):
        if given is not None:
            raise HarnessError(f"{flag} names a partition of a run; files need none")
    paths = arguments.first, Path(arguments.second)
    first, second = (_Side(str(path), _read_labels(path), {"file": str(path)}) for path in paths)
    return "", first, second


def _read_labels(path: Path) -> "Integers":
    """The labels in a file; what is wrong with it raises HarnessError."""
    import numpy as np

    from harness.metrics.partition import InvalidLabelsError, check_labels

    if not path.is_file():
        raise HarnessError(f"{path}: no such file")
    try:
        # Nothing is unpickled, and nothing read that the file does not hold.
        found = np.lib.format.open_memmap(path, mode="r")
    except OSError as error:
        raise HarnessError(f"{path}: cannot be read: {error.strerror or error}") from error
    except Exception as error:  # NumPy raises nearly anything on damaged files
        reason = (str(error).splitlines() or ["damaged"])[0]
        raise HarnessError(f"{path}: not an {SUFFIX} file of numbers: {reason}") from error
    if found.ndim != 1 or not len(found):
        raise HarnessError(f"{path}: labels must be (n,), one a node, not {found.shape}")
    try:
        return check_labels(found, len(found))
    except InvalidLabelsError as error:
        raise HarnessError(f"{path}: {error}") from error


def _of_run(arguments: argparse.Namespace) -> tuple[str, _Side, _Side]:
    from harness.api import open_run

    if arguments.of is None or arguments.beside is None:
        raise HarnessError(
            "--of and --with name the two partitions, as in --of louvain --with infomap "
            "(see harness compare-partitions --help)"
        )
    opened = open_run(arguments.first)
    found = [opened.partition(arguments.second, text) for text in (arguments.of, arguments.beside)]
    first, second = (_Side(str(each), each.labels, each.identity()) for each in found)
    return f"{opened.folder}, {arguments.second}", first, second


def _compared(context: str, first: _Side, second: _Side) -> "PartitionComparison":
    from harness.metrics.jaccard import best_match_jaccard
    from harness.metrics.matching import best_unions, match
    from harness.views.matching import PartitionComparison

    if len(first.labels) != len(second.labels):
        raise HarnessError(
            f"{first.name} has {len(first.labels)} nodes, {second.name} {len(second.labels)}; "
            "only partitions of the same nodes can be compared"
        )
    jaccard = best_match_jaccard(first.labels, second.labels)
    return PartitionComparison(
        context,
        first.name,
        second.name,
        match(first.labels, second.labels),
        None if math.isnan(jaccard) else jaccard,
        best_unions(first.labels, second.labels),
        best_unions(second.labels, first.labels),
    )


def _document(likeness: "PartitionComparison", first: _Side, second: _Side) -> dict[str, Any]:
    matching = asdict(likeness.matching)
    if math.isnan(matching["score"]):
        matching["score"] = None
    return {
        "first": first.facts,
        "second": second.facts,
        "jaccard": likeness.jaccard,
        **matching,
        "first_unions": [asdict(union) for union in likeness.first_unions],
        "second_unions": [asdict(union) for union in likeness.second_unions],
    }
