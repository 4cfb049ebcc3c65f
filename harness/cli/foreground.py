"""`harness foreground`: agreement of clusters with the objects on images, beside baselines."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.options import (
    add_json_option,
    add_plugin_option,
    add_run_argument,
    add_selector_option,
    open_stored,
)
from harness.cli.output import columns_of, print_result, write_table

if TYPE_CHECKING:
    from harness.analysis.masks import Foreground

SUMMARY = "measure how well clusters agree with objects on images, compared with baselines"

EXAMPLES = """
The foreground is defined by brightness, for grey images on black such as Fashion-MNIST's, or by a
mask for each image: DIR/KEY.png, of the image's size, with a black background. Label masks tell
several objects apart: 0 is the background, each other index or grey level is an object.

  harness foreground results/default-* --above 0
  harness foreground results/flowers --masks flower-masks --csv agreement.csv
  harness foreground results/street --labels street-objects
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness foreground`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    add_run_argument(parser)
    foreground = parser.add_mutually_exclusive_group(required=True)
    foreground.add_argument(
        "--above", type=int, metavar="VALUE", help="pixels brighter than this, 0 … 254"
    )
    foreground.add_argument("--masks", type=Path, metavar="DIR", help="masks named like the images")
    foreground.add_argument(
        "--labels", type=Path, metavar="DIR", help="masks of several objects, named likewise"
    )
    parser.add_argument(
        "--candidates",
        action="store_true",
        help="also count selected levels that the selector did not accept",
    )
    add_selector_option(parser)
    add_plugin_option(parser)
    add_json_option(parser)
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write one row per map")


def run(arguments: argparse.Namespace) -> int:
    """Show the agreement with the foreground; returns the exit code."""
    from harness.analysis.method import flatten
    from harness.views.foreground import show

    opened = open_stored(arguments.run_folder, arguments.selectors)
    plugins = arguments.plugins or ()
    found = opened.foreground(_foreground(arguments), plugins, candidates=arguments.candidates)
    print_result(
        lambda console: show(str(opened.folder), found, console),
        lambda: {"run": str(opened.folder), **flatten(found)},
        as_json=arguments.json,
    )
    if arguments.csv is not None:
        write_table(columns_of([each.row() for each in found.maps]), arguments.csv)
    return 0


def following(arguments: argparse.Namespace) -> Sequence[str | Path]:
    """How stable the clusters are."""
    return "leaderboard", arguments.run_folder, "--stability"


def _foreground(arguments: argparse.Namespace) -> "Foreground":
    from harness.analysis.masks import BrightnessThreshold, Masks
    from harness.plugin import registry

    if arguments.above is not None:
        return BrightnessThreshold(arguments.above)
    labels = arguments.labels is not None
    path = arguments.labels if labels else arguments.masks
    # This image set refuses files that are broken, too large or outside the folder.
    known = registry.load(arguments.plugins or ())
    folder: Callable[..., Any] = known.find("image set", "folder")
    return Masks(folder(path=path, as_labels=labels), str(path), labels)
