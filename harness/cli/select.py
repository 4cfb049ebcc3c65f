"""`harness select`: apply selectors to a run's stored profiles, then show the leaderboard."""

import argparse
import sys
from pathlib import Path

from harness.cli.options import add_plugin_option

SUMMARY = "choose levels in a run by other rules, without clustering again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness select`."""
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="a run's folder")
    parser.add_argument(
        "--selectors", required=True, metavar="NAMES", help="rules that choose the level"
    )
    add_plugin_option(parser)
    parser.add_argument("--json", action="store_true", help="the leaderboard as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Select; returns 0 if all selections are ok, 2 if some are not."""
    from harness.api import open_run
    from harness.cli.leaderboard import board_of, print_boards
    from harness.views.progress import shown_progress

    opened = open_run(arguments.run_folder)
    with shown_progress() as progress:
        failed = opened.select(arguments.selectors, arguments.plugins or (), progress)
    print_boards([board_of(opened)], "json" if arguments.json else "table")
    if failed:
        print(f"{opened.folder}: selections: {failed} failed", file=sys.stderr)
    return 2 if failed else 0
