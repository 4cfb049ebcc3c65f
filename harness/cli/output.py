"""What verbs write: tables, JSON and CSV to stdout, and files."""

import csv
import json
import shutil
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from harness.written import one_line_errors, replacing

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console

# The exit status of a command that finished although some of its work failed.
FAILED = 2
# A file or a pipe has no width of its own, unless COLUMNS gives one.
FILE_SIZE = (120, 24)


def table_console(*, stderr: bool = False) -> "Console":
    """The console that tables are printed to; with `stderr`, those that explain an error."""
    from rich.console import Console

    width, height = (max(1, each) for each in shutil.get_terminal_size(FILE_SIZE))
    # Without a height, rich gives a dumb terminal 80 columns.
    return Console(width=width, height=height, highlight=False, stderr=stderr)


def print_result(
    show: Callable[["Console"], None], document: Callable[[], Any], *, as_json: bool
) -> None:
    """Print what a verb found: as JSON, or as tables."""
    if as_json:
        print_json(document())
    else:
        show(table_console())


def exit_status(failures: Mapping[str, int]) -> int:
    """The exit status, 2 if something failed; then prints what, such as {"cell failed": 3}."""
    if not failures:
        return 0
    listed = "; ".join(_counted(count, what) for what, count in failures.items())
    print(f"exit status {FAILED}: {listed}", file=sys.stderr)
    return FAILED


def _counted(count: int, what: str) -> str:
    noun, _, verb = what.partition(" ")
    return f"{count} {noun}{'' if count == 1 else 's'} {verb}"


def print_json(document: Any) -> None:
    """Print a document as JSON."""
    print(json.dumps(document, indent=2))


def write_table(columns: Mapping[str, Sequence[Any]], path: Path) -> None:
    """Write columns of equal length as a CSV file, complete or not at all."""
    with replacing(path) as new, new.open("w", newline="", encoding="utf-8") as file:
        write_csv(columns, file)


def write_drawings(
    drawings: Iterable[tuple[str, "Figure | None", Mapping[str, Sequence[Any]] | None]],
    folder: Path,
    formats: Sequence[str],
) -> Iterator[Path]:
    """Write figures as NAME.FORMAT, tables as NAME.csv; yields the paths."""
    from harness.views.figures.files import save

    with one_line_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name, figure, table in drawings:
        if figure is not None:
            yield from save(figure, folder, name, formats)
        if table is not None:
            path = folder / f"{name}.csv"
            write_table(table, path)
            yield path


def columns_of(
    rows: Sequence[Mapping[str, Any]], names: Collection[str] = ()
) -> dict[str, list[Any]]:
    """Values by column, by default every column that any of the rows has."""
    shown = names or dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in shown}


def write_csv(columns: Mapping[str, Sequence[Any]], file: TextIO) -> None:
    """Write columns of equal length as CSV."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
