"""`harness ablate`: what removing clusters does to the model's answers, beside chance."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from harness.cli.files import write_rows
from harness.cli.options import add_plugin_option
from harness.errors import HarnessError
from harness.vit.removal import At, Fill

if TYPE_CHECKING:
    from harness.ablation import Ablation
    from harness.api import Run

FILE_WIDTH = 120
EXAMPLES = """
METHOD is a clusterer of the run, where its selector chose, or a place, as `harness
compare-partitions --help` spells them. Images that are named are shown one by one; over several the
last tables ask whether removing clusters changes answers more than removing as many random patches.

  harness ablate results/mine 00019-t-shirt --of louvain
  harness ablate results/mine --of louvain@k=3 --at attention --fill mean
  harness ablate results/mine --at keys --csv effects.csv
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness ablate`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EXAMPLES
    parser.add_argument("run_folder", type=Path, metavar="RUN", help="a run's folder")
    parser.add_argument(
        "images", nargs="*", metavar="IMAGE", help="images of the run; all if none is named"
    )
    parser.add_argument(
        "--of", metavar="METHOD", help="whose clusters; needed where the run has several methods"
    )
    parser.add_argument(
        "--at",
        choices=get_args(At),
        default="block",
        help="rows of the block's output, which the classifier reads (default, as in the thesis); "
        "rows of the attention's output before the residual addition; or patches as keys, so that "
        "no other attends to them",
    )
    parser.add_argument(
        "--fill",
        choices=get_args(Fill),
        default="zero",
        help="what replaces rows: zero (default), or the mean row over the image's patches",
    )
    parser.add_argument(
        "--together",
        type=int,
        default=2,
        metavar="N",
        help="also up to N clusters at once (default 2)",
    )
    parser.add_argument(
        "--draws",
        type=int,
        default=200,
        metavar="N",
        help="random sets of as many patches, and contiguous ones (default 200 each)",
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the draws (default 0)")
    add_plugin_option(parser)
    parser.add_argument("--json", action="store_true", help="everything as JSON")
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="also write a row for each set of patches"
    )


def run(arguments: argparse.Namespace) -> int:
    """Ablate; returns the exit code."""
    from harness.ablation import AblationSettings
    from harness.api import open_run

    settings = AblationSettings(
        arguments.at, arguments.fill, arguments.together, arguments.draws, arguments.seed
    )
    opened = open_run(arguments.run_folder)
    found = opened.ablate(
        arguments.of or _only_method(opened), arguments.images, settings, arguments.plugins or ()
    )
    if arguments.json:
        print(json.dumps({"run": str(opened.folder), **asdict(found)}, indent=2))
    else:
        from rich.console import Console

        from harness.views.ablation import show

        # A file or a pipe has no width of its own; the table's is as good as any.
        console = Console() if sys.stdout.isatty() else Console(width=FILE_WIDTH)
        show(str(opened.folder), found, console, each=bool(arguments.images))
    if arguments.csv is not None:
        write_rows(list(_rows(found)), arguments.csv)
    return 0


def _only_method(run: "Run") -> str:
    clusterers: list[str] = run.settings()["clusterers"]
    if len(clusterers) > 1:
        raise HarnessError(
            f"{run.folder}: there are clusters of {', '.join(clusterers)}; tell whose, as in "
            f"--of {clusterers[0]}"
        )
    return clusterers[0]


def _rows(found: "Ablation") -> Iterator[dict[str, Any]]:
    """A flat row for each image and set of patches."""
    for image in found.images:
        for effect in image.effects:
            row = asdict(effect)
            chances = {name: row.pop(name) for name in ("random", "contiguous")}
            logits = row.pop("logits")
            row["clusters"] = "+".join(map(str, effect.clusters))
            yield {
                "image": image.image,
                "target": image.target,
                "labelled": image.labelled,
                **row,
                **{f"logit_{number}": value for number, value in enumerate(logits)},
                **{
                    f"{name}_{figure}": value
                    for name, chance in chances.items()
                    for figure, value in chance.items()
                },
            }
