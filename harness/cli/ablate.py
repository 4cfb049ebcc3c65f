"""`harness ablate`: effects of removing clusters on the model's output, compared with chance."""

import argparse
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from harness.cli.options import (
    add_json_option,
    add_plugin_option,
    add_run_argument,
    add_selector_option,
    open_stored,
)
from harness.cli.output import columns_of, print_result, write_table
from harness.errors import HarnessError
from harness.plugin.ablation import At, Fill

if TYPE_CHECKING:
    from harness.api import Run

SUMMARY = "remove clusters from the model, and compare the effect with that of random patches"

EXAMPLES = """
METHOD is a clusterer of the run, at the level that its selector chose, or a partition reference, as
`harness compare-partitions --help` explains. Named images are shown one by one. For several images,
the last tables test whether removing clusters changes the output more than removing as many random
patches does.

  harness ablate results/mine 00019-t-shirt --of louvain
  harness ablate results/mine --of louvain@k=3 --at attention --fill mean
  harness ablate results/mine --at keys --csv effects.csv
  harness ablate results/deep --of louvain@layer=8,head=2 --layer 10 --at keys
"""
# Options that are whole numbers, with their defaults.
NUMBERS = (
    ("layer", None, "layer in which clusters are removed (default: that of their map)"),
    ("together", 2, "remove up to N clusters at once (default 2)"),
    ("draws", 200, "draws of as many random patches, and of contiguous ones (default 200 each)"),
    ("seed", 0, "seed of the draws (default 0)"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness ablate`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    add_run_argument(parser)
    parser.add_argument(
        "images", nargs="*", metavar="IMAGE", help="images of the run (default all)"
    )
    parser.add_argument(
        "--of", metavar="METHOD", help="whose clusters; required if the run has several methods"
    )
    parser.add_argument(
        "--at",
        choices=get_args(At),
        default="block",
        help="where to remove patches. block (default): their rows of the block's output, which a "
        "one-layer model's classifier reads, as in the thesis; attention: their rows of the "
        "attention's output before the residual addition; keys: no other token attends to them",
    )
    parser.add_argument(
        "--fill",
        choices=get_args(Fill),
        default="zero",
        help="what replaces rows: zeros (default), or the mean row of the image's patches",
    )
    for name, default, text in NUMBERS:
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N", help=text)
    add_selector_option(parser)
    add_plugin_option(parser)
    add_json_option(parser)
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="also write one row per set of patches"
    )


def run(arguments: argparse.Namespace) -> int:
    """Remove clusters and show the effects; returns the exit code."""
    from harness.analysis.ablation import AblationSettings
    from harness.views.ablation import COLUMNS, document, flat_rows, show

    values = vars(arguments)
    settings = AblationSettings(
        **{each.name: values[each.name] for each in fields(AblationSettings)}
    )
    opened = open_stored(arguments.run_folder, arguments.selectors)
    found = opened.ablate(
        arguments.of or _only_method(opened), arguments.images, settings, arguments.plugins or ()
    )
    print_result(
        lambda console: show(found.run, found, console, each=bool(arguments.images)),
        lambda: document(found.run, found),
        as_json=arguments.json,
    )
    if arguments.csv is not None:
        rows = flat_rows(found)
        write_table(columns_of(rows, () if rows else COLUMNS), arguments.csv)
    return 0


def following(arguments: argparse.Namespace) -> Sequence[str | Path]:
    """Everything as files."""
    return "export", arguments.run_folder, "--out", "tables"


def _only_method(run: "Run") -> str:
    clusterers: list[str] = run.settings()["clusterers"]
    if len(clusterers) > 1:
        raise HarnessError(
            f"{run.folder}: the run has clusters of {', '.join(clusterers)}; choose one, as in "
            f"--of {clusterers[0]}"
        )
    return clusterers[0]
