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
