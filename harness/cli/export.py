"""`harness export`: a run's tables as files for other programs, and their provenance."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.options import add_run_argument, add_selector_option, open_stored
from harness.plugin.requirement import PARQUET
from harness.written import one_line_errors, replacing

if TYPE_CHECKING:
    import pandas

SUMMARY = "write a run's tables as Parquet or CSV"

# Methods of `Run`, which return the tables.
TABLES = ("images", "cells", "points", "selections", "tests", "stabilities", "scores")
# Columns of lists, and the type of their numbers; a CSV file has them as JSON.
LISTS = {"labels": "int16", "null_statistics": "float64", "null_candidates": "int32"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness export`."""
    add_run_argument(parser)
    add_selector_option(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for the files"
    )
    parser.add_argument(
        "--format", choices=("parquet", "csv"), default="parquet", help="(default parquet)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write every table of the run, and its provenance; returns the exit code."""
    from harness.views.progress import shown_progress

    if arguments.format == "parquet":
        PARQUET.check("export --format parquet")
    opened = open_stored(arguments.run_folder, arguments.selectors)
    with shown_progress() as progress, one_line_errors(arguments.out):
        tables = {name: getattr(opened, name)() for name in progress.track("reading", TABLES)}
        arguments.out.mkdir(parents=True, exist_ok=True)
        progress.begin("writing rows", sum(map(len, tables.values())))
        for name, frame in tables.items():
            path = arguments.out / f"{name}.{arguments.format}"
            with replacing(path) as new:
                if arguments.format == "csv":
                    _write_csv(frame, new)
                else:
                    _write_parquet(frame, new)
            print(f"{path}: {len(frame)} rows")
            progress.advance(len(frame))
        path = arguments.out / "provenance.json"
        made_by = {"settings": opened.settings(), "sessions": opened.sessions()}
        with replacing(path) as new:
            new.write_text(json.dumps(made_by, indent=1) + "\n", encoding="utf-8")
        print(path)
    return 0


def following(arguments: argparse.Namespace) -> Sequence[str | Path]:
    """The other runs."""
    return "runs", arguments.run_folder.absolute().parent


def _lists(frame: "pandas.DataFrame") -> list[str]:
    return [column for column in LISTS if column in frame]


def _write_csv(frame: "pandas.DataFrame", path: Path) -> None:
    texts = {
        column: [json.dumps(each.tolist()) for each in frame[column]] for column in _lists(frame)
    }
    frame.assign(**texts).to_csv(path, index=False)


def _write_parquet(frame: "pandas.DataFrame", path: Path) -> None:
    import pyarrow

    # An empty column of lists does not say of what.
    schema = pyarrow.Schema.from_pandas(frame, preserve_index=False)
    for column in _lists(frame):
        numbers = pyarrow.list_(pyarrow.type_for_alias(LISTS[column]))
        field = pyarrow.field(column, numbers)
        schema = schema.set(schema.get_field_index(column), field)
    # Arrow itself opens no path that is not UTF-8.
    with path.open("wb") as file:
        frame.to_parquet(file, index=False, schema=schema)
