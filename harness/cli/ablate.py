"""`harness ablate`: effects of removing clusters on the model's answers, compared with chance."""

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from harness.cli.options import add_json_option, add_plugin_option, add_run_argument
from harness.cli.output import print_result, write_rows
from harness.errors import HarnessError
from harness.plugin.ablation import At, Fill

if TYPE_CHECKING:
    from harness.analysis.ablation import Ablation, ImageAblation
    from harness.api import Run
    from harness.metrics.ablation import Chance, Effect

SUMMARY = "remove clusters from the model, and compare what changes with random patches"

EXAMPLES = """
METHOD is a clusterer of the run, at the level that its selector chose, or a partition reference, as
`harness compare-partitions --help` explains. Named images are shown one by one. For several images,
the last tables test whether removing clusters changes answers more than as many random patches do.

  harness ablate results/mine 00019-t-shirt --of louvain
  harness ablate results/mine --of louvain@k=3 --at attention --fill mean
  harness ablate results/mine --at keys --csv effects.csv
  harness ablate results/deep --of louvain@layer=8,head=2 --layer 10 --at keys
"""


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
        help="rows of the block's output (default; in a one-layer model these are what the "
        "classifier reads, as in the thesis); rows of the attention's output before the residual "
        "addition; or patches as keys, so that no other token attends to them",
    )
    parser.add_argument(
        "--layer",
        type=int,
        metavar="N",
        help="the layer to remove them in (default: the layer of the clusters' map)",
    )
    parser.add_argument(
        "--fill",
        choices=get_args(Fill),
        default="zero",
        help="what replaces rows: zeros (default), or the mean row of the image's patches",
    )
    parser.add_argument(
        "--together",
        type=int,
        default=2,
        metavar="N",
        help="remove up to N clusters at once (default 2)",
    )
    parser.add_argument(
        "--draws",
        type=int,
        default=200,
        metavar="N",
        help="random sets of as many patches, and contiguous random sets (default 200 each)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="seed of the draws (default 0)"
    )
    add_plugin_option(parser)
    add_json_option(parser)
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="also write one row per set of patches"
    )


def run(arguments: argparse.Namespace) -> int:
    """Remove clusters and show the effects; returns the exit code."""
    from harness.analysis.ablation import AblationSettings
    from harness.api import open_run
    from harness.views.ablation import show

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
    print_result(
        lambda console: show(str(opened.folder), found, console, each=bool(arguments.images)),
        lambda: {"run": str(opened.folder), **_document(found)},
        as_json=arguments.json,
    )
    if arguments.csv is not None:
        write_rows(list(_rows(found)), arguments.csv)
    return 0


def _only_method(run: "Run") -> str:
    clusterers: list[str] = run.settings()["clusterers"]
    if len(clusterers) > 1:
        raise HarnessError(
            f"{run.folder}: the run has clusters of {', '.join(clusterers)}; choose one, as in "
            f"--of {clusterers[0]}"
        )
    return clusterers[0]


def _document(found: "Ablation") -> dict[str, Any]:
    return {
        **asdict(found),
        "images": [_image(image) for image in found.images],
        "nothing": [{"image": image, "reason": reason} for image, reason in found.nothing.items()],
    }


def _image(image: "ImageAblation") -> dict[str, Any]:
    values = asdict(image)
    prediction = values.pop("prediction") or {}
    return {**values, **prediction, "effects": [_effect(effect) for effect in image.effects]}


def _effect(effect: "Effect") -> dict[str, Any]:
    values: dict[str, Any] = {
        "kind": effect.kind,
        "clusters": effect.clusters,
        "patches": effect.patches,
        **effect.figures,
        "random": _chance(effect.random),
        "contiguous": _chance(effect.contiguous),
    }
    if effect.predicted is not None:
        values |= {
            "predicted": effect.predicted,
            "changed": effect.changed,
            "logits": effect.logits,
        }
    return values


def _chance(chance: "Chance") -> dict[str, Any]:
    values = asdict(chance)
    return {**values.pop("figures"), **values}


def _rows(found: "Ablation") -> Iterator[dict[str, Any]]:
    """A flat row for each image and set of patches."""
    for image in found.images:
        row: dict[str, Any] = {"image": image.image}
        if image.prediction:
            row |= {"target": image.prediction.target, "labelled": image.prediction.labelled}
        for effect in image.effects:
            yield row | _flat(_effect(effect))


def _flat(effect: dict[str, Any]) -> dict[str, Any]:
    """An effect in one level: clusters as 0+1, chance as random_p, logits as logit_0."""
    row = {**effect, "clusters": "+".join(map(str, effect["clusters"]))}
    for chance in ("random", "contiguous"):
        row |= {f"{chance}_{name}": value for name, value in row.pop(chance).items()}
    logits = row.pop("logits", ())
    return row | {f"logit_{number}": value for number, value in enumerate(logits)}
