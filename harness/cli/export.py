"""`harness export`: a run's tables as files for other programs, and their provenance."""

import argparse
import json
from pathlib import Path

from harness.cli.options import add_run_argument
from harness.cli.output import one_line_errors

SUMMARY = "write a run's tables as Parquet or CSV"

# Methods of `Run`, which return the tables.
TABLES = ("images", "cells", "points", "selections", "tests", "stabilities")
# Columns of lists, and the type of their numbers; a CSV file has them as JSON.
LISTS = {"labels": "int16", "null_statistics": "float64"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness export`."""
    add_run_argument(parser)
    parser.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder for the files"
    )
    parser.add_argument(
        "--format", choices=("parquet", "csv"), default="parquet", help="(default parquet)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write every table of the run, and its provenance; returns the exit code."""
    import pyarrow

    from harness.api import open_run

    opened = open_run(arguments.run_folder)
    tables = {name: getattr(opened, name)() for name in TABLES}
    with one_line_errors(arguments.out):
        arguments.out.mkdir(parents=True, exist_ok=True)
        for name, frame in tables.items():
            path = arguments.out / f"{name}.{arguments.format}"
            lists = [column for column in LISTS if column in frame]
            if arguments.format == "csv":
                texts = {
                    column: [json.dumps(each.tolist()) for each in frame[column]]
                    for column in lists
                }
                frame.assign(**texts).to_csv(path, index=False)
            else:
                # An empty column of lists does not say of what.
                schema = pyarrow.Schema.from_pandas(frame, preserve_index=False)
                for column in lists:
                    numbers = pyarrow.list_(pyarrow.type_for_alias(LISTS[column]))
                    position = schema.get_field_index(column)
                    schema = schema.set(position, pyarrow.field(column, numbers))
                frame.to_parquet(path, index=False, schema=schema)
            print(f"{path}: {len(frame)} rows")
        path = arguments.out / "provenance.json"
        made_by = {"settings": opened.settings(), "sessions": opened.sessions()}
        path.write_text(json.dumps(made_by, indent=1) + "\n", encoding="utf-8")
        print(path)
    return 0
