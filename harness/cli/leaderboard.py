"""`harness leaderboard`: the ranked methods of runs."""

import argparse
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.options import add_selector_option, open_stored
from harness.cli.output import columns_of, print_result, write_csv
from harness.cli.streams import exact_stdout
from harness.errors import HarnessError

if TYPE_CHECKING:
    from rich.console import Console

    from harness.api import Run

SUMMARY = "rank the methods of finished runs, or show their heads or layers"

ORDERS = {"head": "heads in the order of their effect", "layer": "layers in the order of depth"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness leaderboard`."""
    parser.epilog = "docs/glossary.md explains every column."
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="a run's folder")
    add_selector_option(parser)
    parser.add_argument(
        "--by", metavar="COLUMN", help="sort by this column, by its heading or its name in JSON"
    )
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
        type=_singular,
        choices=("head", "layer"),
        help="show a row for each method and head, the best first, or layer, by depth",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", help="print JSON")
    form.add_argument("--csv", dest="form", action="store_const", const="csv", help="print CSV")
    parser.set_defaults(form="table")


def _singular(text: str) -> str:
    """What `--per` names, also in the plural or in capitals."""
    return text.casefold().removesuffix("s")


def run(arguments: argparse.Namespace) -> int:
    """Show the leaderboards; returns the exit code."""

    opened = [open_stored(path, arguments.selectors) for path in arguments.runs]
    changes = {"by": arguments.by, "pairs": arguments.pairs, "stability": arguments.stability}
    if arguments.per is None:
        print_leaderboards(opened, arguments.form, **changes)
    elif any(changes.values()):
        raise HarnessError(
            f"--per {arguments.per} shows {ORDERS[arguments.per]}, and nothing that --by, "
            "--pairs or --stability could change"
        )
    else:
        _print_per(opened, arguments.per, arguments.form)
    return 0


def following(arguments: argparse.Namespace) -> Sequence[str | Path]:
    """The images of the first run."""
    return "show", arguments.runs[0]


def _print_per(runs: Sequence["Run"], per: str, form: str) -> None:
    from harness.analysis.layers import flat_row
    from harness.views.leaderboard import show_per

    found = [run.head_rows() if per == "head" else run.layer_rows() for run in runs]
    documents = [
        {"run": each.run, "rows": list(map(flat_row, each.rows)), "caveats": each.caveats}
        for each in found
    ]
    shown = [(each.run, each.rows, each.caveats) for each in found]
    _print(form, documents, partial(show_per, per, shown))


def print_leaderboards(
    runs: Sequence["Run"],
    form: str,
    *,
    by: str | None = None,
    pairs: bool = False,
    stability: bool = False,
) -> None:
    """Print each run's leaderboard as "table", "json" or "csv"; flags add tables to a "table"."""
    from harness.analysis.leaderboard import column_types, flattened
    from harness.views.leaderboard import show

    boards = [run.leaderboard(by) for run in runs]
    documents = [
        {
            "run": board.run,
            "unfinished": board.unfinished,
            "rows": list(map(flattened, board.rows)),
            "comparisons": [
                {name: value for name, value in asdict(each).items() if name != "rows"}
                for each in board.comparisons
            ],
            "tests": [asdict(verdict) for verdict in board.verdicts],
            "caveats": board.caveats,
        }
        for board in boards
    ]
    stabilities = [run.stabilities() for run in runs if stability]
    show_boards = partial(show, boards, pairs=pairs, stabilities=stabilities)
    columns = column_types(row for board in boards for row in board.rows)
    _print(form, documents, show_boards, ("run", *columns))


def _print(
    form: str,
    documents: Sequence[dict[str, Any]],
    show: Callable[["Console"], None],
    columns: Collection[str] = (),
) -> None:
    """Print the document of one run or of several, their rows with some columns, or tables."""
    if form == "csv":
        rows = [{"run": each["run"], **row} for each in documents for row in each["rows"]]
        write_csv(columns_of(rows, columns), exact_stdout())
    else:
        document = documents[0] if len(documents) == 1 else documents
        print_result(show, lambda: document, as_json=form == "json")
