"""`harness run`: compute what is missing, then show the leaderboard."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.options import add_plugin_option

if TYPE_CHECKING:
    from harness.engine.estimate import CostEstimate

SUMMARY = "cluster attention maps over a sweep of thresholds, with controls, and rank the methods"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness run`."""
    from harness.planning.settings import default_suite

    default = default_suite().values

    def shown(text: str, key: str) -> str:
        return f"{text} (default {default[key]})".replace("%", "%%")

    parser.add_argument(
        "suite", nargs="?", type=Path, metavar="SUITE.toml", help="a file with any of the settings"
    )
    what = parser.add_argument_group(
        "what to compute",
        "Components are spelled NAME or 'NAME[parameter=value,…]', separated by commas; quote "
        "brackets. A list of values is a sweep: 'louvain[resolution=[0.5,1]]'. `harness plugins` "
        "lists them. Flags win over the suite, the suite over the default run.",
    )
    what.add_argument("--images", metavar="SETS", help=shown("image sets", "images"))
    what.add_argument(
        "--extractors",
        metavar="NAMES",
        help=shown("models, or sets of attention maps", "extractors"),
    )
    what.add_argument("--graphs", metavar="NAMES", help=shown("graph builders", "graphs"))
    what.add_argument(
        "--clusterers", metavar="NAMES", help=shown("methods to compare", "clusterers")
    )
    what.add_argument(
        "--selectors", metavar="NAMES", help=shown("rules that choose the level", "selectors")
    )
    what.add_argument(
        "--controls", metavar="NAMES", help=shown("noise to compare with, or none", "controls")
    )
    what.add_argument(
        "--levels", type=int, metavar="N", help=shown("thresholds to prune at", "levels")
    )
    what.add_argument(
        "--repeats", type=int, metavar="N", help=shown("seeds for each cell", "repeats")
    )
    what.add_argument(
        "--nulls",
        type=int,
        metavar="N",
        help=shown("draws of each control that a selection is tested against, at least", "nulls"),
    )
    what.add_argument(
        "--pooling",
        choices=("group", "image"),
        help=shown("nulls from all images of a group together, or from the image", "pooling"),
    )
    what.add_argument(
        "--perturbations",
        metavar="NAMES",
        help=shown("changes that clusters should survive, or none", "perturbations"),
    )
    what.add_argument(
        "--stability-draws",
        type=int,
        metavar="N",
        help=shown("draws of each perturbation", "stability_draws"),
    )
    what.add_argument(
        "--rescore",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="let each level keep the best of all levels' partitions (default no)",
    )
    what.add_argument(
        "--resolution",
        type=float,
        metavar="GAMMA",
        help=shown("of the modularity that scores", "resolution"),
    )
    what.add_argument("--seed", type=int, metavar="N", help=shown("of the whole run", "seed"))
    how = parser.add_argument_group("how")
    how.add_argument("--out", type=Path, metavar="DIR", help="default results/SUITE-HASH")
    how.add_argument("-j", "--workers", type=int, metavar="N", help=shown("processes", "workers"))
    how.add_argument(
        "--timeout",
        metavar="S",
        help=shown("seconds a cell may take; 600,infomap=30 makes exceptions", "timeout"),
    )
    how.add_argument(
        "--memory",
        type=float,
        metavar="GIB",
        help=shown("GiB a cell may take beside what its process holds", "memory"),
    )
    how.add_argument(
        "--extraction-threads",
        type=int,
        metavar="N",
        help=shown("threads of the model; a cell has one", "extraction_threads"),
    )
    how.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="compute cells on the workers of this Dask scheduler; local starts some here",
    )
    how.add_argument(
        "--isolation",
        choices=("process", "none"),
        help="run components in worker processes, or in this one, for debugging (default process)",
    )
    add_plugin_option(how)
    how.add_argument(
        "--retry-failed", action="store_true", help="compute cells that failed before again"
    )
    how.add_argument(
        "--force",
        action="append",
        default=[],
        metavar="NAME",
        help="compute again all that this component had a part in; may be repeated",
    )
    how.add_argument(
        "--any-environment",
        action="store_true",
        help="go on with a run that other versions of Python, a library or a plugin began",
    )
    how.add_argument(
        "--dry-run", action="store_true", help="only count the cells and the time they will take"
    )
    how.add_argument("--json", action="store_true", help="the leaderboard as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Run; returns 0 if all cells and selections are ok, 2 if some are not."""
    from harness.api import Run, prepare
    from harness.planning.settings import KEYS
    from harness.views.progress import shown_progress

    given: dict[str, Any] = vars(arguments)
    prepared = prepare(arguments.suite, {key: given[key] for key in KEYS})
    for line in prepared.registry.warnings():
        print(f"warning: {line}", file=sys.stderr)
    with shown_progress(live=prepared.execution.isolation == "process") as progress:
        if arguments.dry_run:
            estimate_cost = prepared.estimate_cost(
                progress, retry_failed=arguments.retry_failed, force=arguments.force
            )
        else:
            prepared.execute(
                progress,
                retry_failed=arguments.retry_failed,
                force=arguments.force,
                any_environment=arguments.any_environment,
            )
    if arguments.dry_run:
        _print_forecast(prepared.folder, estimate_cost, arguments.json)
        return 0

    from harness.cli.leaderboard import board_of, print_boards

    finished = Run(prepared.folder)
    print_boards([board_of(finished)], "json" if arguments.json else "table")
    statuses = finished.statuses()
    failed = finished.failed_selections()
    listed = ", ".join(f"{count} {status}" for status, count in statuses.items())
    selections = f"; selections: {failed} failed" if failed else ""
    print(f"{prepared.folder}: cells: {listed}{selections}", file=sys.stderr)
    return 0 if set(statuses) <= {"ok"} and not failed else 2


def _print_forecast(folder: Path, estimate_cost: "CostEstimate", as_json: bool) -> None:
    if as_json:
        print(json.dumps({"run": str(folder), **asdict(estimate_cost), "new": estimate_cost.new}))
    else:
        print(f"{folder}: {estimate_cost}")
