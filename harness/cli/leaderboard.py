"""`harness leaderboard`: the ranked methods of runs."""

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError

if TYPE_CHECKING:
    import pandas
    from rich.console import Console

    from harness.analysis.heads import HeadRow, LayerRow
    from harness.analysis.leaderboard import Comparison
    from harness.api import Run
    from harness.views.leaderboard import Board

SUMMARY = "rank the methods of runs again, sorted or filtered"

FILE_WIDTH = 120
ORDERS = {"head": "heads in the order of their excess", "layer": "layers in the order of depth"}


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
    parser.add_argument(
        "--per",
        choices=("head", "layer"),
        help="one row a method and head, the best first, or layer, by depth",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json")
    form.add_argument("--csv", dest="form", action="store_const", const="csv")
    parser.set_defaults(form="table")


def run(arguments: argparse.Namespace) -> int:
    """Show the leaderboards; returns the exit code."""
    from harness.api import open_run

    opened = [open_run(path) for path in arguments.runs]
    if arguments.per is not None:
        if arguments.by is not None or arguments.pairs or arguments.stability:
            raise HarnessError(
                f"--per {arguments.per} shows {ORDERS[arguments.per]}, and nothing that --by, "
                "--pairs or --stability could change"
            )
        _print_apart(opened, arguments.per, arguments.form)
        return 0
    boards = [board_of(one, arguments.by) for one in opened]
    stabilities = [one.stabilities() for one in opened] if arguments.stability else []
    print_boards(boards, arguments.form, pairs=arguments.pairs, stabilities=stabilities)
    return 0


def _print_apart(runs: Sequence["Run"], per: str, form: str) -> None:
    """Print each method's heads, or layers, apart."""
    if form == "table":
        from harness.views import leaderboard

        for run in runs:
            if per == "head":
                leaderboard.show_heads(str(run.folder), run.head_rows(), _console())
            else:
                leaderboard.show_layers(str(run.folder), run.layer_rows(), _console())
        return
    found: list[tuple[str, Sequence[HeadRow | LayerRow]]] = [
        (str(run.folder), run.head_rows() if per == "head" else run.layer_rows()) for run in runs
    ]
    if form == "json":
        documents = [{"run": of, "rows": [row.flat() for row in rows]} for of, rows in found]
        print(json.dumps(documents[0] if len(documents) == 1 else documents, indent=2))
    else:
        flat = [{"run": of, **row.flat()} for of, rows in found for row in rows]
        writer = csv.DictWriter(sys.stdout, list(flat[0]) if flat else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows(flat)


def _console() -> "Console":
    from rich.console import Console

    # A file or a pipe has no width of its own; the table's is as good as any.
    return Console() if sys.stdout.isatty() else Console(width=FILE_WIDTH)


def board_of(run: "Run", by: str | None = None) -> "Board":
    """A run's rows, with what its table says about them."""
    from harness.analysis.leaderboard import ranked
    from harness.views.leaderboard import Board

    compared = run.comparisons()
    rows = ranked(compared, by)
    inline = any(session.get("isolation") == "none" for session in run.sessions())
    return Board(str(run.folder), rows, compared, run.settings(), run.controls(), by, inline)


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
        from harness.analysis.leaderboard import Row

        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["run", *(field.name for field in fields(Row) if field.name != "controls")])
        for board in boards:
            for row in board.rows:
                figures = asdict(row)
                del figures["controls"]
                writer.writerow([board.run, *figures.values()])
    else:
        from harness.views.leaderboard import show

        show(boards, _console(), pairs=pairs, stabilities=stabilities)


def _tests(comparison: "Comparison") -> dict[str, Any]:
    """What was tested between the methods of a set; their rows stand beside it."""
    return {
        "images": comparison.images,
        "omnibus": comparison.omnibus,
        "pairs": [asdict(difference) for difference in comparison.differences],
    }
