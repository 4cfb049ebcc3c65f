"""`harness show`: one image of a run seen closely, in the terminal and as figures."""

import argparse
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.options import add_plugin_option
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.api import Run
    from harness.views.show import ShowContext

SUMMARY = "look at one image of a run: profiles, clusters, methods compared; figures as files"

FILE_WIDTH = 120
# What tells one map of the image from others; the first of the plan unless told.
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
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="a run's folder")
    parser.add_argument(
        "image", nargs="?", metavar="IMAGE", help="an image or map of the run; none lists them"
    )
    for name in ("method", "selector"):
        parser.add_argument(
            f"--{name}",
            action="append",
            default=[],
            metavar="NAME",
            help=f"show this {name}; may be repeated (default all)",
        )
    which = parser.add_argument_group(
        "which map", "Of what there is several of, the first is shown unless told."
    )
    for name, what in MAP_OPTIONS.items():
        which.add_argument(f"--{name}", metavar=name[0].upper(), help=what)
    files = parser.add_argument_group("files")
    files.add_argument(
        "--out", type=Path, metavar="DIR", help="also write figures there, PNG, SVG and CSV"
    )
    files.add_argument(
        "--query",
        metavar="ROW,COLUMN",
        help="the patch whose attention is drawn (default: the one most attended to)",
    )
    add_plugin_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show the image, or list the images; returns the exit code."""
    from rich.console import Console

    from harness.api import open_run

    opened = open_run(arguments.run_folder)
    # A file or a pipe has no width of its own; the table's is as good as any.
    console = Console() if sys.stdout.isatty() else Console(width=FILE_WIDTH)
    if arguments.image is None:
        from harness.views.show import show_images

        show_images(opened.cells(), opened.images(), opened.selections(), console)
        return 0
    if arguments.query is not None and arguments.out is None:
        raise HarnessError("--query is of the figures; --out tells where they go")
    from harness.views.show import show

    context = _sight(opened, arguments)
    written = list(_write(opened, context, arguments)) if arguments.out is not None else []
    show(context, console)
    for path in written:
        print(path)
    return 0


def _sight(opened: "Run", arguments: argparse.Namespace) -> "ShowContext":
    """What is shown; where pixels or weights cannot be had any more, without them."""
    from harness.views.show import ShowContext

    told = {
        name: getattr(arguments, name)
        for name in MAP_OPTIONS
        if getattr(arguments, name) is not None
    }
    report = opened.image_report(arguments.image, told, arguments.method, arguments.selector)
    image, class_name, weights, remarks = None, "", None, []
    if report.images and report.size is not None:
        try:
            image, classes = opened.image(report.images, report.image, arguments.plugins or ())
            if image.label is not None and 0 <= image.label < len(classes):
                class_name = classes[image.label]
        except HarnessError as error:
            remarks.append(f"Shown without the image: {error}")
    if report.nodes:
        try:
            weights = opened.weights(report, alone=True).get(report.head)
        except HarnessError as error:
            remarks.append(f"Shown without the map's weights: {error}")
    return ShowContext(report, image, class_name, weights, remarks)


def _write(opened: "Run", context: "ShowContext", arguments: argparse.Namespace) -> Iterator[Path]:
    from harness.views.figures.image import drawings, query_patch
    from harness.views.figures.style import save

    report, folder = context.report, arguments.out
    query = None if arguments.query is None else query_patch(arguments.query, report.grid)
    heads: dict[int, Any] = {}
    if context.weights is not None:
        heads = opened.weights(report, alone=arguments.head is not None)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HarnessError(f"{folder}: cannot be written to: {error.strerror}") from error
    for drawing in drawings(context, heads, query):
        yield from save(drawing.figure, folder, drawing.name)
        path = folder / f"{drawing.name}.csv"
        try:
            with path.open("w", newline="", encoding="utf-8") as file:
                rows = csv.writer(file, lineterminator="\n")
                rows.writerow(drawing.columns)
                rows.writerows(drawing.rows)
        except OSError as error:
            raise HarnessError(f"{path}: cannot be written: {error.strerror}") from error
        yield path
