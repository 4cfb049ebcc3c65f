"""`harness publish`: a run as a folder that can be committed, or uploaded as a data set."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from harness.cli.options import add_run_argument, open_stored

SUMMARY = "write a run as a data set: tables, the report, a card, provenance, checksums"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness publish`."""
    parser.epilog = (
        "`harness leaderboard` and `harness compare` read the folder as they read a run. It has no "
        "attention maps; docs/publish.md says what it has."
    )
    add_run_argument(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for the files"
    )
    parser.add_argument(
        "--all-levels",
        action="store_true",
        help="publish what was found at all levels, with all labels (default: at the levels that "
        "selectors chose)",
    )
    parser.add_argument(
        "--no-pictures",
        action="store_true",
        help="leave pictures of the images out of the report: their licenses may forbid them",
    )
    parser.add_argument(
        "--license",
        default="unknown",
        metavar="ID",
        help="the license that the card names, such as cc-by-4.0 (default unknown)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace a published run")


def run(arguments: argparse.Namespace) -> int:
    """Publish the run; returns the exit code."""
    opened = open_stored(arguments.run_folder)
    opened.publish(
        arguments.out,
        all_levels=arguments.all_levels,
        pictures=not arguments.no_pictures,
        license=arguments.license,
        overwrite=arguments.overwrite,
    )
    files = [path for path in sorted(arguments.out.rglob("*")) if path.is_file()]
    for path in files:
        print(path)
    return 0


def following(arguments: argparse.Namespace) -> Sequence[str | Path]:
    """The leaderboard of the published run."""
    return "leaderboard", arguments.out
