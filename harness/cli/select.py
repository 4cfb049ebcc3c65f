"""`harness select`: apply selectors to a run's stored profiles, then show the leaderboard."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.cli.options import add_json_option, add_plugin_option, add_run_argument, open_stored
from harness.cli.output import exit_status

SUMMARY = "apply other selectors to a run, without clustering again"

EXPLANATION = """
The selections are stored beside those of the run's own selectors. The leaderboard that follows
shows both. Later commands show the run's own selectors; `--selector NAME` shows others.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness select`."""
    parser.epilog = EXPLANATION
    add_run_argument(parser)
    parser.add_argument(
        "--selectors", required=True, metavar="NAMES", help="selectors, separated by commas"
    )
    add_plugin_option(parser)
    add_json_option(parser, "the leaderboard as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Apply the selectors; returns 0 if all selections are ok, 2 if some failed."""
    from harness.cli.leaderboard import print_leaderboards

    opened = open_stored(arguments.run_folder)
    chosen = opened.select(arguments.selectors, arguments.plugins or ())
    both = replace(chosen, selectors=(*opened.settings()["selectors"], *chosen.selectors))
    print_leaderboards([both], "json" if arguments.json else "table")
    failed = chosen.failures().get("selection failed", 0)
    return exit_status({"selection failed": failed} if failed else {})


def following(arguments: argparse.Namespace) -> Sequence[str | Path]:
    """The images of the run."""
    return "show", arguments.run_folder
