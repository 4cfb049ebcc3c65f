"""`harness leaderboard`: the ranked methods of runs."""

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas

    from harness.api import Run
    from harness.ranking import Comparison
    from harness.views.leaderboard import Board

FILE_WIDTH = 120


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness leaderboard`."""
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run's folder")
    parser.add_argument("--by", metavar="COLUMN", help="sort by this column of the JSON")
    parser.add_argument(
        "--pairs", action="store_true", help="also show what was tested between every two methods"
    )
    parser.add_argument(
        "--stability",
        action="store_true",
        help="also show how stable clusters are, kind by kind, and the least stable one",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json")
    form.add_argument("--csv", dest="form", action="store_const", const="csv")
    parser.set_defaults(form="table")


def run(arguments: argparse.Namespace) -> int:
    """Show the leaderboards; returns the exit code."""
    from harness.api import open_run

    opened = [open_run(path) for path in arguments.runs]
    boards = [board_of(one, arguments.by) for one in opened]
    stabilities = [one.stabilities() for one in opened] if arguments.stability else []
    print_boards(boards, arguments.form, pairs=arguments.pairs, stabilities=stabilities)
    return 0


def board_of(run: "Run", by: str | None = None) -> "Board":
    """A run's rows, with what its table says about them."""
    from harness.ranking import ranked
    from harness.views.leaderboard import Board

    compared = run.comparisons()
    rows = ranked(compared, by)
    return Board(str(run.folder), rows, compared, run.settings(), run.controls(), by)


def print_boards(
    boards: Sequence["Board"],
    form: str,
    *,
    pairs: bool = False,
    stabilities: Sequence["pandas.DataFrame"] = (),
) -> None:
    """Print to stdout as a table, JSON or CSV; the last two are for the table alone."""
    if form == "json":
        documents = [
            {
                "run": board.run,
                "rows": [asdict(row) for row in board.rows],
                "comparisons": [_tests(comparison) for comparison in board.comparisons],
            }
            for board in boards
        ]
        print(json.dumps(documents[0] if len(documents) == 1 else documents, indent=2))
    elif form == "csv":
        from harness.ranking import Row

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["run", *(field.name for field in fields(Row) if field.name != "controls")])
        for board in boards:
            for row in board.rows:
                figures = asdict(row)
                del figures["controls"]
                writer.writerow([board.run, *figures.values()])
    else:
        from rich.console import Console

        from harness.views.leaderboard import show

        # A file or a pipe has no width of its own; the table's is as good as any.
        console = Console() if sys.stdout.isatty() else Console(width=FILE_WIDTH)
        show(boards, console, pairs=pairs, stabilities=stabilities)


def _tests(comparison: "Comparison") -> dict[str, Any]:
    """What was tested between the methods of a set; their rows stand beside it."""
    return {
        "images": comparison.images,
        "omnibus": comparison.omnibus,
        "pairs": [asdict(difference) for difference in comparison.differences],
    }
