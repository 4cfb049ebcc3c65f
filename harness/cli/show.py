"""`harness show`: one image of a run in detail, in the terminal and as figures."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import (
    add_figure_options,
    add_plugin_option,
    add_run_argument,
    add_selector_option,
    check_figure_options,
    figure_settings,
    image_words,
    open_stored,
)
from harness.cli.output import table_console, write_drawings
from harness.plugin.requirement import FIGURES

if TYPE_CHECKING:
    from harness.api import Run
    from harness.views.figures.image import Drawing
    from harness.views.show import ShowContext

SUMMARY = "show one image of a run: profiles, clusters, methods compared; write figures"

# Options that select one of several maps of the image.
MAP_OPTIONS = {
    "head": "head",
    "layer": "layer",
    "extractor": "extractor",
    "graph": "graph builder",
    "images": "image set",
    "repeat": "repeat",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness show`."""
    add_run_argument(parser)
    parser.add_argument(
        "image", nargs="?", metavar="IMAGE", help="an image or map of the run; omit it for a list"
    )
    parser.add_argument(
        "--method",
        action="append",
        default=[],
        metavar="NAME",
        help="show this method; may be repeated (default all)",
    )
    add_selector_option(parser)
    which = parser.add_argument_group(
        "which map", "Without these options, the first map of the run's plan is shown."
    )
    for name, what in MAP_OPTIONS.items():
        which.add_argument(f"--{name}", metavar=name[0].upper(), help=what)
    files = parser.add_argument_group("files")
    files.add_argument(
        "--out", type=Path, metavar="DIR", help="write figures and their numbers to this folder"
    )
    add_figure_options(files)
    files.add_argument(
        "--query",
        metavar="ROW,COLUMN",
        help="the patch whose attention is drawn (default: the patch with most attention)",
    )
    add_plugin_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show the image, or list the images; returns the exit code."""
    from harness.views.show import show, show_images

    if arguments.out is not None:
        FIGURES.check("show --out")
    opened, console = open_stored(arguments.run_folder, arguments.selectors), table_console()
    if arguments.image is None:
        cells = opened.cells()
        show_images(cells, opened.images(), opened.selections(), console)
        arguments.first = next(iter(cells["image"]), None)
        return 0
    check_figure_options(arguments, "query")
    context = _context(opened, arguments)
    arguments.has_map = context.report.nodes > 0
    written: list[Path] = []
    if arguments.out is not None:
        width, formats = figure_settings(arguments)
        drawings = _drawings(opened, context, arguments, width)
        written += write_drawings(drawings, arguments.out, formats)
    show(context, console)
    for path in written:
        print(path)
    if arguments.out is not None and not written:
        print(f"{arguments.out}: nothing to draw, as there is no map", file=sys.stderr)
    return 0


def following(arguments: argparse.Namespace) -> Sequence[str | Path]:
    """The first of the listed images; figures of an image; everything as files; or the list."""
    run = arguments.run_folder
    if arguments.image is None:
        return () if arguments.first is None else ("show", *image_words(run, arguments.first))
    if arguments.out is not None:
        return "export", run, "--out", "tables"
    if not arguments.has_map:
        return "show", run
    given = {name: getattr(arguments, name) for name in MAP_OPTIONS}
    options = [word for name, value in given.items() if value for word in (f"--{name}", value)]
    return "show", *options, "--out", "figures", *image_words(run, arguments.image)


def _context(opened: "Run", arguments: argparse.Namespace) -> "ShowContext":
    """What is shown of the map that the options select."""
    given = {name: getattr(arguments, name) for name in MAP_OPTIONS}
    filters = {name: value for name, value in given.items() if value is not None}
    report = opened.image_report(arguments.image, filters, arguments.method)
    return report.context(arguments.plugins or ())


def _drawings(
    opened: "Run", context: "ShowContext", arguments: argparse.Namespace, width: float
) -> Iterator["Drawing"]:
    from harness.views.figures.image import drawings, query_patch

    report = context.report
    query = None if arguments.query is None else query_patch(arguments.query, report.grid)
    loaded = context.weights is not None
    heads = opened.weights(report, alone=arguments.head is not None) if loaded else {}
    return drawings(context, heads, query, width)
