"""`harness layers`: scores by layer and head, and how similar their clusters are."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import add_json_option, add_run_argument
from harness.cli.output import make_folder, print_result, write_rows

if TYPE_CHECKING:
    from harness.analysis.layers import MethodLayers

SUMMARY = "show which layers and heads cluster, and how similar their clusters are"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness layers`."""
    add_run_argument(parser)
    parser.add_argument(
        "--of",
        action="append",
        default=[],
        metavar="METHOD",
        help="show only this clusterer; may be repeated (default all)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write figures and tables to this folder"
    )
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show layers and heads; returns the exit code."""
    from harness.api import open_run
    from harness.views.layers import document, show

    opened = open_run(arguments.run_folder)
    found = opened.layers(arguments.of)
    written = list(_write(found, arguments.out)) if arguments.out is not None else []
    print_result(
        lambda console: show(str(opened.folder), found, console),
        lambda: {"run": str(opened.folder), "methods": document(found)},
        as_json=arguments.json,
    )
    for path in () if arguments.json else written:
        print(path)
    return 0


def _write(found: Sequence["MethodLayers"], folder: Path) -> Iterator[Path]:
    from harness.views.figures.layers import drawings
    from harness.views.figures.style import save
    from harness.views.layers import tables

    make_folder(folder)
    for name, rows in tables(found).items():
        path = folder / f"{name}.csv"
        write_rows(rows, path)
        yield path
    for name, figure in drawings(found):
        yield from save(figure, folder, name)
