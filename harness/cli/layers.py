"""`harness layers`: figures by layer and head, and how alike the clusters on them are."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.files import write_rows
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.analysis.layers import MethodLayers

SUMMARY = "which layers and heads cluster, how it changes with depth, and what they share"

FILE_WIDTH = 120


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness layers`."""
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="a run's folder")
    parser.add_argument(
        "--of",
        action="append",
        default=[],
        metavar="METHOD",
        help="only this clusterer; may be repeated (default all)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="also write figures there, PNG and SVG, and CSV"
    )
    parser.add_argument("--json", action="store_true", help="everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Show layers and heads; returns the exit code."""
    from harness.api import open_run

    opened = open_run(arguments.run_folder)
    found = opened.layers(arguments.of)
    written = list(_write(found, arguments.out)) if arguments.out is not None else []
    if arguments.json:
        from harness.views.layers import document

        print(json.dumps({"run": str(opened.folder), "methods": document(found)}, indent=2))
        return 0
    from rich.console import Console

    from harness.views.layers import show

    # A file or a pipe has no width of its own; the table's is as good as any.
    console = Console() if sys.stdout.isatty() else Console(width=FILE_WIDTH)
    show(str(opened.folder), found, console)
    for path in written:
        print(path)
    return 0


def _write(found: Sequence["MethodLayers"], folder: Path) -> Iterator[Path]:
    from harness.views.figures.layers import drawings
    from harness.views.figures.style import save
    from harness.views.layers import tables

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HarnessError(f"{folder}: cannot be written to: {error.strerror}") from error
    for name, rows in tables(found).items():
        path = folder / f"{name}.csv"
        write_rows(rows, path)
        yield path
    for name, figure in drawings(found):
        yield from save(figure, folder, name)
