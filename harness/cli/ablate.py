"""`harness ablate`: what removing clusters does to the model's answers, beside chance."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from harness.cli.options import add_plugin_option
from harness.cli.output import write_rows
from harness.errors import HarnessError
from harness.plugin.ablation import At, Fill

if TYPE_CHECKING:
    from harness.analysis.ablation import Ablation
    from harness.api import Run
    from harness.metrics.ablation import Effect
    from harness.metrics.embedding_ablation import EmbeddingEffect

SUMMARY = "remove clusters from the model's view, and see what its answers lose beyond chance"

FILE_WIDTH = 120
EXAMPLES = """
METHOD is a clusterer of the run, where its selector chose, or a place, as `harness
compare-partitions --help` spells them. Images that are named are shown one by one; over several the
last tables ask whether removing clusters changes answers more than removing as many random patches.

  harness ablate results/mine 00019-t-shirt --of louvain
  harness ablate results/mine --of louvain@k=3 --at attention --fill mean
  harness ablate results/mine --at keys --csv effects.csv
  harness ablate results/deep --of louvain@layer=8,head=2 --layer 10 --at keys
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
        help="rows of the block's output (default; with one layer what the classifier reads, as in "
        "the thesis); rows of the attention's output before the residual addition; or patches as "
        "keys, so that no other token attends to them",
    )
    parser.add_argument(
        "--layer",
        type=int,
        metavar="N",
        help="the layer they are removed in; that of the clusters' map if not given",
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
    from harness.analysis.ablation import AblationSettings
    from harness.api import open_run

    settings = AblationSettings(
        arguments.at,
        arguments.fill,
        arguments.layer,
        arguments.together,
        arguments.draws,
        arguments.seed,
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
        target = {"target": image.target, "labelled": image.labelled}
        for effect in image.effects:
            logits = {f"logit_{number}": value for number, value in enumerate(effect.logits)}
            yield {"image": image.image, **target, **_flat(effect), **logits}
    for embedded in found.embeddings:
        for moved in embedded.effects:
            yield {"image": embedded.image, **_flat(moved)}


def _flat(effect: "Effect | EmbeddingEffect") -> dict[str, Any]:
    row = asdict(effect)
    row.pop("logits", None)
    row["clusters"] = "+".join(map(str, effect.clusters))
    for chance in ("random", "contiguous"):
        row |= {f"{chance}_{figure}": value for figure, value in row.pop(chance).items()}
    return row
