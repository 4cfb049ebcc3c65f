"""`harness layers`: scores by layer and head, and how similar their clusters are."""

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path

from harness.cli.options import (
    add_figure_options,
    add_json_option,
    add_run_argument,
    add_selector_option,
    check_figure_options,
    figure_settings,
    open_stored,
)
from harness.cli.output import columns_of, print_result, write_drawings
from harness.plugin.requirement import FIGURES

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
    add_selector_option(parser)
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write figures and tables to this folder"
    )
    add_figure_options(parser)
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show layers and heads; returns the exit code."""
    from harness.views.layers import document, show, tables

    if arguments.out is not None:
        FIGURES.check("layers --out")
    check_figure_options(arguments)
    opened = open_stored(arguments.run_folder, arguments.selectors)
    found, written = opened.layers(arguments.of).methods, []
    if arguments.out is not None:
        from harness.views.figures.layers import drawings

        sheets = [(name, None, columns_of(rows)) for name, rows in tables(found).items()]
        width, formats = figure_settings(arguments)
        figures = ((name, figure, None) for name, figure in drawings(found, width))
        every = itertools.chain(sheets, figures)
        written = list(write_drawings(every, arguments.out, formats))
    print_result(
        lambda console: show(str(opened.folder), found, console),
        lambda: {"run": str(opened.folder), "methods": document(found)},
        as_json=arguments.json,
    )
    for path in () if arguments.json else written:
        print(path)
    return 0


def following(arguments: argparse.Namespace) -> Sequence[str | Path]:
    """The heads one by one."""
    return "leaderboard", arguments.run_folder, "--per", "head"
