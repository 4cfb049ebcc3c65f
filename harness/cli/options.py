"""Options that several verbs have."""

import argparse
from pathlib import Path


def add_plugin_option(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """`--plugin PATH`, as `plugins`: a list of paths, None if it is not given."""
    parser.add_argument(
        "--plugin",
        dest="plugins",
        action="append",
        type=Path,
        metavar="PATH",
        help="a Python file or package folder with a plugin; may be repeated",
    )


def add_run_argument(parser: argparse.ArgumentParser) -> None:
    """The folder of a finished run, as `run_folder`."""
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="a run's folder")


def add_json_option(parser: argparse.ArgumentParser, what: str = "JSON") -> None:
    """`--json`, as `json`: whether the verb prints JSON instead of tables."""
    parser.add_argument("--json", action="store_true", help=f"print {what}")
