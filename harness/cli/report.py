"""`harness report`: runs as one HTML file."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from harness.cli.options import add_plugin_option, add_selector_option, open_stored

SUMMARY = "write a web page on runs: results, leaderboard, curves, images with their clusters"

EXPLANATION = """
The page is one file that makes no request: it can be mailed, and opened without a network. Two runs
are compared. Images that have changed since the run, or are gone, have no picture, and the page
says why. docs/report.md explains what it shows.

  harness report results/default-* --out report.html
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness report`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXPLANATION
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run's folder")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("report.html"),
        metavar="FILE",
        help="the page (default report.html)",
    )
    add_selector_option(parser)
    add_plugin_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the page; returns the exit code."""
    first, *others = (open_stored(path, arguments.selectors) for path in arguments.runs)
    print(first.report(arguments.out, others, arguments.plugins or ()))
    return 0


def following(arguments: argparse.Namespace) -> Sequence[str | Path]:
    """The images of the first run, one by one."""
    return "show", arguments.runs[0]
