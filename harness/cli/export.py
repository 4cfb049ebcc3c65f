"""`harness export`: a run's tables as files for other programs, and their provenance."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from harness.cli.options import add_run_argument
from harness.cli.output import one_line_errors, replacing

SUMMARY = "write a run's tables as Parquet or CSV"

# Methods of `Run`, which return the tables.
TABLES = ("images", "cells", "points", "selections", "tests", "stabilities")
# Columns whose cells hold several values; a CSV file has them as JSON.
NESTED = ("labels", "diagnostics", "warnings", "null_statistics")


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
    import numpy as np

    from harness.api import open_run
    from harness.views.progress import shown_progress

    opened = open_run(arguments.run_folder)
    with shown_progress() as progress, one_line_errors(arguments.out):
        tables = {name: getattr(opened, name)() for name in progress.track("reading", TABLES)}
        arguments.out.mkdir(parents=True, exist_ok=True)
        progress.begin("writing rows", sum(map(len, tables.values())))
        for name, frame in tables.items():
            path = arguments.out / f"{name}.{arguments.format}"
            for column in set(NESTED).intersection(frame.columns):
                if arguments.format == "csv" or column == "diagnostics":
                    frame[column] = [
                        json.dumps(value, default=np.ndarray.tolist) for value in frame[column]
                    ]
            with replacing(path) as new:
                if arguments.format == "csv":
                    frame.to_csv(new, index=False)
                else:
                    # Arrow itself opens no path that is not UTF-8.
                    with new.open("wb") as file:
                        frame.to_parquet(file, index=False)
            print(f"{path}: {len(frame)} rows")
            progress.advance(len(frame))
        path = arguments.out / "provenance.json"
        made_by = {"settings": opened.settings(), "sessions": opened.sessions()}
        with replacing(path) as new:
            new.write_text(json.dumps(made_by, indent=1) + "\n", encoding="utf-8")
        print(path)
    return 0


def following(arguments: argparse.Namespace) -> Sequence[str]:
    """The other runs."""
    return "runs", str(arguments.run_folder.absolute().parent)
