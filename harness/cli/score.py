"""`harness score`: compute scores of a run's stored clusters, then show the leaderboard."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from harness.cli.options import add_json_option, add_plugin_option, add_run_argument, open_stored
from harness.cli.output import exit_status

SUMMARY = "compute scores of a run's clusters, such as conductance, without clustering again"

EXPLANATION = """
Scores are computed of the clusters at every level that a selector selected, on the maps and on
their controls' draws, and stored in the run: the same command again computes only what is missing
or failed. The leaderboard, `harness compare` and `harness export` show them. `harness plugins`
lists them.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness score`."""
    parser.epilog = EXPLANATION
    add_run_argument(parser)
    parser.add_argument(
        "--scores", required=True, metavar="NAMES", help="scores, separated by commas"
    )
    parser.add_argument(
        "--by", metavar="COLUMN", help="sort the leaderboard by this column, such as a score"
    )
    parser.add_argument(
        "--timeout",
        type=float,
        metavar="S",
        help="seconds that a score may take for one level (default 600)",
    )
    parser.add_argument(
        "--isolation",
        choices=("process", "none"),
        help="run scores in a worker process, or in this one, for debugging (default process)",
    )
    add_plugin_option(parser)
    add_json_option(parser, "the leaderboard as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Compute the scores; returns 0 if none failed, 2 if some did."""
    from harness.cli.leaderboard import print_leaderboards
    from harness.plugin.spec import component_name, split

    opened = open_stored(arguments.run_folder)
    opened.score(
        arguments.scores,
        arguments.plugins or (),
        timeout=arguments.timeout,
        isolation=arguments.isolation,
    )
    form = "json" if arguments.json else "table"
    print_leaderboards([opened], form, by=arguments.by)
    asked = {component_name(spec) for spec in split(arguments.scores)}
    figures = opened.scores()
    of_asked = figures["score"].map(component_name).isin(asked)
    failed = int((of_asked & (figures["reason"] != "")).sum())
    return exit_status({"figure failed": failed} if failed else {})


def following(arguments: argparse.Namespace) -> Sequence[str | Path]:
    """The tables, with every figure."""
    return "export", arguments.run_folder, "--out", "tables"
