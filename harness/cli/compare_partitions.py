"""`harness compare-partitions`: which clusters of one partition became which of another."""

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.options import add_json_option, image_words, open_stored
from harness.cli.output import print_result
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.plugin.values import Integers

SUMMARY = "match the clusters of two partitions: same, split, merged"

# What a partition is called, its labels (n,), and where they come from.
Partition = tuple[str, "Integers", Mapping[str, Any]]
SUFFIX = ".npy"
REFERENCES = """
A partition reference is METHOD, for the level that its selector chose, or METHOD@KEYS. METHOD is a
clusterer of the run, or `truth` for planted communities. KEYS are separated by commas: level=0.56
(or 0.56 alone), k=3 (the first level with three clusters) or selector=NAME; layer=0, head=5,
repeat=1, graph=NAME, extractor=NAME, images=SET. Keys with a single value in the run may be
omitted.

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
        "second", metavar="IMAGE", help="an image or map of the run; or a second .npy file"
    )
    parser.add_argument("--of", metavar="PARTITION", help="the first partition, as a reference")
    parser.add_argument("--with", dest="beside", metavar="PARTITION", help="the second partition")
    add_json_option(parser, "JSON, with every best union, and the labels of clusters 1, 2, …")


def run(arguments: argparse.Namespace) -> int:
    """Compare; returns the exit code."""
    from harness.metrics.partition import by_size, numbered
    from harness.views.matching import show

    partitions_of = _of_files if arguments.first.suffix == SUFFIX else _of_run
    context, (first, own, identity), (second, others, other) = partitions_of(arguments)
    ours, theirs = numbered(own), numbered(others)
    if len(ours) != len(theirs):
        raise HarnessError(
            f"{first} has {len(ours)} nodes, {second} {len(theirs)}; "
            "only partitions of the same nodes can be compared"
        )
    print_result(
        lambda console: show(f"{context}A: {first}\nB: {second}", ours, theirs, console),
        lambda: {
            "first": {**identity, "labels": by_size(own)},
            "second": {**other, "labels": by_size(others)},
            **_document(ours, theirs),
        },
        as_json=arguments.json,
    )
    return 0


def following(arguments: argparse.Namespace) -> Sequence[str | Path]:
    """The image with both partitions; none for files."""
    is_file = arguments.first.suffix == SUFFIX
    return () if is_file else ("show", *image_words(arguments.first, arguments.second))


def _of_files(arguments: argparse.Namespace) -> tuple[str, Partition, Partition]:
    for flag, given in (("--of", arguments.of), ("--with", arguments.beside)):
        if given is not None:
            raise HarnessError(f"{flag} names a partition of a run; files need none")
    paths = arguments.first, Path(arguments.second)
    first, second = ((str(path), _read_labels(path), {"file": str(path)}) for path in paths)
    return "", first, second


def _read_labels(path: Path) -> "Integers":
    """The labels in a file; raises HarnessError if it holds none."""
    import numpy as np

    from harness.metrics.partition import InvalidLabelsError, check_labels

    if not path.is_file():
        raise HarnessError(f"{path}: no such file")
    try:
        # A memory map unpickles nothing and never allocates more than the file holds.
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


def _of_run(arguments: argparse.Namespace) -> tuple[str, Partition, Partition]:

    if arguments.of is None or arguments.beside is None:
        raise HarnessError(
            "--of and --with name the two partitions, as in --of louvain --with infomap "
            "(see harness compare-partitions --help)"
        )
    opened = open_stored(arguments.first)
    found = [opened.partition(arguments.second, text) for text in (arguments.of, arguments.beside)]
    first, second = ((str(each), each.labels, each.identity()) for each in found)
    return f"{opened.folder}, {arguments.second}\n", first, second


def _document(first: "Integers", second: "Integers") -> dict[str, Any]:
    from harness.metrics.jaccard import best_match_jaccard
    from harness.metrics.matching import best_unions, match
    from harness.store import none_for_nan

    matching = match(first, second)
    return {
        "jaccard": none_for_nan(best_match_jaccard(first, second)),
        **asdict(matching),
        "score": none_for_nan(matching.score),
        "first_unions": [asdict(each, dict_factory=_named) for each in best_unions(first, second)],
        "second_unions": [asdict(each, dict_factory=_named) for each in best_unions(second, first)],
    }


def _named(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The label of a cluster is its number here."""
    return {"cluster" if name == "label" else name: value for name, value in pairs}
