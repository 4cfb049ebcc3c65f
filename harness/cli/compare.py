"""`harness compare`: two runs cell by cell, and whether the second is worse."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.cli.options import add_json_option, add_selector_option, open_stored
from harness.cli.output import print_result
from harness.errors import escape_line

SUMMARY = "pair two runs cell by cell, and fail if a metric got worse than a limit"

# Exit code where something got worse than a limit allows.
REGRESSION = 3
EXPLANATION = """
Limits are METRIC:-SIZE for metrics that are better when larger (modularity, excess, effect, ari),
METRIC:+SIZE for seconds, and either for control_modularity, n_clusters and accepted (the fraction
of maps on which the selector accepted a level). A score that `harness score` computed in both runs
is a metric too. SIZE is a number, or with % a fraction of the first run's mean. With a limit, what
failed or is missing in the second run, or cannot be compared, fails too.

Exit codes: 0 nothing got worse than a limit, 1 usage error or nothing to compare, 3 a method's mean
is beyond a limit or incomplete.

  harness compare results/before results/after --fail-on modularity:-5% --fail-on seconds:+20%
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness compare`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXPLANATION
    parser.add_argument("first", type=Path, metavar="RUN", help="the folder of the first run")
    parser.add_argument("second", type=Path, metavar="RUN", help="the folder of the second run")
    parser.add_argument(
        "--fail-on",
        action="append",
        default=[],
        metavar="LIMIT",
        help="fail if a method's mean is worse by more, as in modularity:-5%%; may be repeated",
    )
    add_selector_option(parser)
    add_json_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compare; returns 0, or 3 if something got worse than a limit."""
    from harness.analysis.limits import read_limit, regressions
    from harness.analysis.method import flatten
    from harness.views.comparison import show

    first, second = (
        open_stored(path, arguments.selectors) for path in (arguments.first, arguments.second)
    )
    runs = first.compare(second)
    limits = [read_limit(text, runs.directions) for text in arguments.fail_on]
    worse = regressions(runs, limits) if limits else []
    print_result(
        lambda console: show(runs, console),
        lambda: {**flatten(runs), "identical": runs.identical, "regressions": worse},
        as_json=arguments.json,
    )
    for line in worse:
        print(f"worse: {escape_line(line)}", file=sys.stderr)
    return REGRESSION if worse else 0


def following(arguments: argparse.Namespace) -> Sequence[str | Path]:
    """Both leaderboards."""
    return "leaderboard", arguments.first, arguments.second
