"""`harness run`: compute what is missing, then show the leaderboard."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from harness.cli.options import add_json_option, add_settings
from harness.cli.output import exit_status

SUMMARY = "cluster attention maps over a sweep of thresholds, with controls, and rank the methods"
COMPONENTS = (
    "Components are given by specs, NAME or 'NAME[parameter=value,…]', separated by commas; quote "
    "brackets. A list of values is a sweep: 'louvain[resolution=[0.5,1]]'. `harness plugins` lists "
    "components. Flags win over the suite, the suite over the defaults."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness run`."""
    from harness.planning.settings import HOW, WHAT

    parser.add_argument(
        "suite", nargs="?", metavar="SUITE.toml", help="a file with any of the settings"
    )
    add_settings(parser.add_argument_group("what to compute", COMPONENTS), WHAT)
    how = parser.add_argument_group("how")
    add_settings(how, HOW)
    how.add_argument(
        "--dry-run", action="store_true", help="only count the cells and estimate their time"
    )
    add_json_option(how, "the leaderboard as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run; returns 0 if all cells and selections are ok, 2 if some are not."""
    from harness.api import prepare
    from harness.planning.progress import LOGGER
    from harness.planning.settings import SETTINGS
    from harness.views.progress import shown_progress

    prepared = prepare(arguments.suite, {key: getattr(arguments, key) for key in SETTINGS})
    LOGGER.info("settings: %s", json.dumps(asdict(prepared.settings)))
    for line in prepared.registry.warnings():
        print(f"warning: {line}", file=sys.stderr)
    with shown_progress(live=prepared.execution.isolation == "process") as progress:
        estimate = prepared.estimate_cost(progress) if arguments.dry_run else None
        if estimate is None:
            prepared.execute(progress)
    arguments.run_folder = prepared.folder
    if estimate is None:
        return _print_results(prepared.folder, arguments.json)
    document = {"run": str(prepared.folder), **asdict(estimate), "new": estimate.new}
    lines = f"{prepared.folder}: {estimate}", *estimate.reaches()
    print(json.dumps(document) if arguments.json else "\n".join(lines))
    return 0


def following(arguments: argparse.Namespace) -> Sequence[str | Path]:
    """The images of the run; none if it was only estimated."""
    return () if arguments.dry_run else ("show", arguments.run_folder)


def _print_results(folder: Path, as_json: bool) -> int:
    from harness.api import Run
    from harness.cli.leaderboard import print_leaderboards

    finished = Run(folder)
    print_leaderboards([finished], "json" if as_json else "table")
    statuses = finished.statuses()
    listed = ", ".join(f"{count} {status}" for status, count in statuses.items())
    print(f"{folder}: cells: {listed}", file=sys.stderr)
    return exit_status(finished.failures())
