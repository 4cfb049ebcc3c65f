"""`harness reproduce`: makes the thesis' tables and figures again."""

import argparse
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness import HarnessError, Requirement
from harness.command import add_figure_options, add_plugin_option

if TYPE_CHECKING:
    from harness_plugins.thesis.reproduction.exhibit import Exhibit
    from harness_plugins.thesis.reproduction.report import Result

SUMMARY = "reproduce the thesis' tables and figures, beside its own numbers"
REQUIRES = Requirement(
    "attention-harness[vit,infomap,networkx,figures]",
    ("torch", "infomap", "networkx", "matplotlib"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness reproduce`."""
    parser.add_argument(
        "--images",
        default="flowers-sample",
        metavar="SET",
        help="labelled image set (default: the shipped flowers-sample)",
    )
    parser.add_argument(
        "--clustered",
        type=int,
        default=10,
        metavar="N",
        help="cluster this many of the images, classes in turn (default 10)",
    )
    parser.add_argument(
        "--checkpoint",
        help="model with one head (default: fashion-mnist-one-head for Fashion-MNIST's images, "
        "flowers-one-head for others)",
    )
    parser.add_argument(
        "--many-heads",
        metavar="CHECKPOINT",
        help="model with several heads (default: fashion-mnist-twelve-heads or "
        "flowers-twelve-heads)",
    )
    parser.add_argument(
        "--models",
        action="append",
        type=Path,
        default=[],
        metavar="DIR",
        help="folder of models that `harness train STUDY.toml` wrote, named as its data set; may "
        "be repeated",
    )
    parser.add_argument(
        "--only",
        metavar="NAMES",
        help="only these exhibits, separated by commas, such as table-4.3",
    )
    parser.add_argument(
        "--list", action="store_true", help="list the names of all exhibits, and stop"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("results/reproduction"),
        metavar="DIR",
        help="folder to write (default results/reproduction)",
    )
    parser.add_argument(
        "-j", "--workers", type=int, default=2, metavar="N", help="worker processes (default 2)"
    )
    add_figure_options(parser)
    add_plugin_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Reproduce; returns the exit code, 2 if an exhibit failed while its requirements were met."""
    from harness.command import (
        Column,
        component_name,
        exit_status,
        figure_settings,
        show_table,
        shown_progress,
        table_console,
    )
    from harness_plugins.thesis.reproduction.exhibits import EXHIBITS, chosen
    from harness_plugins.thesis.reproduction.making import reproduce
    from harness_plugins.thesis.reproduction.study import Study
    from harness_plugins.thesis.vit.files import FLOWERS, TRAINED_ON

    if arguments.list:
        columns: list[Column[Exhibit]] = [
            Column("exhibit", lambda exhibit: exhibit.name, words=True),
            Column("title", _titled, words=True, folds=True),
        ]
        show_table(table_console(), columns, EXHIBITS)
        return 0
    names = (name.strip() for name in (arguments.only or "").split(","))
    exhibits = chosen([name for name in names if name])
    if arguments.clustered < 1:
        raise HarnessError(f"--clustered {arguments.clustered}: must be at least 1")
    if arguments.workers < 1:
        raise HarnessError(f"--workers {arguments.workers}: must be at least 1")
    for folder in arguments.models:
        if not os.path.isdir(folder):
            raise HarnessError(f"--models {folder}: no such folder")
    data = TRAINED_ON.get(component_name(arguments.images), FLOWERS)
    with shown_progress() as progress:
        study = Study(
            arguments.images,
            arguments.checkpoint or f"{data}-one-head",
            arguments.many_heads or f"{data}-twelve-heads",
            tuple(arguments.models),
            arguments.clustered,
            arguments.out,
            arguments.workers,
            tuple(arguments.plugins or ()),
            progress,
            *figure_settings(arguments),
        )
        # A mistake in the images, the models or the folder concerns all exhibits.
        study.check()
        results = reproduce(study, exhibits, shlex.join(["harness", *sys.argv[1:]]), _print)
    print(arguments.out / "report.html")
    failed = sum(bool(result.failed) for result in results)
    return exit_status({"exhibit failed": failed} if failed else {})


def _titled(exhibit: "Exhibit") -> str:
    return f"{exhibit.title}, {exhibit.about}" if exhibit.about else exhibit.title


def _print(result: "Result") -> None:
    name = result.exhibit.name
    if result.failed:
        print(f"{name}: failed: {result.failed}", file=sys.stderr)
    elif result.missing:
        print(f"{name} {result.missing}", file=sys.stderr)
    else:
        print(result.heading)
