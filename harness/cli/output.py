"""What verbs write: tables, JSON and CSV to stdout, and files with one-line errors."""

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from harness.errors import HarnessError

if TYPE_CHECKING:
    from rich.console import Console

# A file or a pipe has no width of its own.
FILE_WIDTH = 120


def stdout_console() -> "Console":
    """The console that tables are printed to."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=FILE_WIDTH)


def print_result(
    show: Callable[["Console"], None], document: Callable[[], Any], *, as_json: bool
) -> None:
    """Print what a verb found: as JSON, or as tables."""
    if as_json:
        print_json(document())
    else:
        show(stdout_console())


def print_json(document: Any) -> None:
    """Print a document as JSON."""
    print(json.dumps(document, indent=2))


def print_rows(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows as CSV, with every column that any of them has."""
    _write_csv(sys.stdout, _columns(rows))


def write_rows(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write rows as a CSV file, with every column that any of them has."""
    write_table(_columns(rows), path)


def write_table(columns: Mapping[str, Sequence[Any]], path: Path) -> None:
    """Write columns of equal length as a CSV file."""
    with one_line_errors(path), path.open("w", newline="", encoding="utf-8") as file:
        _write_csv(file, columns)


def make_folder(path: Path) -> None:
    """Make a folder and its parents, if they do not exist."""
    with one_line_errors(path):
        path.mkdir(parents=True, exist_ok=True)


@contextmanager
def one_line_errors(path: Path) -> Iterator[None]:
    """Raises HarnessError if the path cannot be written."""
    try:
        yield
    except OSError as error:
        raise HarnessError(f"{path}: cannot be written: {error.strerror}") from error


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _write_csv(file: TextIO, columns: Mapping[str, Sequence[Any]]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
