"""`harness leaderboard`: the ranked methods of runs."""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.output import print_json, print_rows, stdout_console
from harness.errors import HarnessError

if TYPE_CHECKING:
    import pandas

    from harness.analysis.leaderboard import Comparison
    from harness.api import Run
    from harness.views.leaderboard import Board

SUMMARY = "rank the methods of finished runs, or show their heads or layers"

ORDERS = {"head": "heads in the order of their excess", "layer": "layers in the order of depth"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness leaderboard`."""
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run's folder")
    parser.add_argument("--by", metavar="COLUMN", help="sort by this column of the JSON")
    parser.add_argument(
        "--pairs", action="store_true", help="also show the tests between every two methods"
    )
    parser.add_argument(
        "--stability",
        action="store_true",
        help="also show how stable clusters are, kind by kind, and the least stable one",
    )
    parser.add_argument(
        "--per",
        choices=("head", "layer"),
        help="show a row for each method and head, the best first, or layer, by depth",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", help="print JSON")
    form.add_argument("--csv", dest="form", action="store_const", const="csv", help="print CSV")
    parser.set_defaults(form="table")


def run(arguments: argparse.Namespace) -> int:
    """Show the leaderboards; returns the exit code."""
    from harness.api import open_run

    opened = [open_run(path) for path in arguments.runs]
    if arguments.per is None:
        boards = [board_of(one, arguments.by) for one in opened]
        stabilities = [one.stabilities() for one in opened] if arguments.stability else []
        print_boards(boards, arguments.form, pairs=arguments.pairs, stabilities=stabilities)
        return 0
    if arguments.by is not None or arguments.pairs or arguments.stability:
        raise HarnessError(
            f"--per {arguments.per} shows {ORDERS[arguments.per]}, and nothing that --by, "
            "--pairs or --stability could change"
        )
    _print_per(opened, arguments.per, arguments.form)
    return 0


def _print_per(runs: Sequence["Run"], per: str, form: str) -> None:
    """Print a row for each method and head, or layer."""
    from harness.analysis.layers import flat_row
    from harness.views.leaderboard import show_heads, show_layers

    found: list[tuple[str, Sequence[Any]]] = [
        (str(run.folder), run.head_rows() if per == "head" else run.layer_rows()) for run in runs
    ]
    if form == "json":
        _print_documents({"run": run, "rows": list(map(flat_row, rows))} for run, rows in found)
    elif form == "csv":
        print_rows([{"run": run, **flat_row(row)} for run, rows in found for row in rows])
    else:
        show = show_heads if per == "head" else show_layers
        for run, rows in found:
            show(run, rows, stdout_console())


def board_of(run: "Run", by: str | None = None) -> "Board":
    """A run's rows, with everything that its table shows."""
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
    """Print to stdout as a table, JSON or CSV; pairs and stabilities are for the table alone."""
    from harness.analysis.method import flatten

    if form == "json":
        _print_documents(
            {
                "run": board.run,
                "rows": [flatten(row) for row in board.rows],
                "comparisons": [_tests(comparison) for comparison in board.comparisons],
            }
            for board in boards
        )
    elif form == "csv":
        from harness.analysis.leaderboard import COLUMNS

        rows = [{"run": board.run, **flatten(row)} for board in boards for row in board.rows]
        print_rows([{name: row[name] for name in ("run", *COLUMNS)} for row in rows])
    else:
        from harness.views.leaderboard import show

        show(boards, stdout_console(), pairs=pairs, stabilities=stabilities)


def _print_documents(documents: Iterable[dict[str, Any]]) -> None:
    """Print the document of a run, or a list of those of several runs."""
    found = list(documents)
    print_json(found[0] if len(found) == 1 else found)


def _tests(comparison: "Comparison") -> dict[str, Any]:
    """The tests between the methods of a set, without their rows."""
    return {
        "image_set": comparison.image_set,
        "omnibus": comparison.omnibus,
        "pairs": [asdict(pair) for pair in comparison.pairs],
    }
