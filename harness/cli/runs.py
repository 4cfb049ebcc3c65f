"""`harness runs`: the runs in a folder, what they compared, and whether they are complete."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from harness.cli.options import add_json_option
from harness.cli.output import print_result

SUMMARY = "list the runs in a folder: when, what they compared, whether they are complete"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness runs`."""
    parser.add_argument(
        "folder",
        nargs="?",
        type=Path,
        default=Path("results"),
        metavar="FOLDER",
        help="a folder of runs (default results)",
    )
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """List the runs; returns the exit code."""
    from harness.analysis.runs import found_runs
    from harness.views.runs import show_runs

    found = arguments.found = found_runs(arguments.folder)
    print_result(
        lambda console: show_runs(arguments.folder, found, console),
        lambda: {"folder": str(arguments.folder), "runs": list(map(asdict, found))},
        as_json=arguments.json,
    )
    return 0


def following(arguments: argparse.Namespace) -> Sequence[str | Path]:
    """The leaderboard of the latest complete run, or else of the latest that can be read."""
    readable = [each for each in arguments.found if each.clusterers]
    latest = sorted(readable, key=lambda each: each.state == "complete")[-1:]
    return ("leaderboard", Path(latest[0].run)) if latest else ("run",)
