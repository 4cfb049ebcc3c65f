"""`harness evaluate`: accuracy, confusion and class probabilities of a trained one-layer ViT."""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import harness
from harness import HarnessError
from harness.command import add_plugin_option
from harness_plugins.thesis.commands.threads import add_threads_option, set_threads
from harness_plugins.thesis.vit import VIT

if TYPE_CHECKING:
    from harness_plugins.thesis.vit.checkpoint import Checkpoint
    from harness_plugins.thesis.vit.evaluation import Evaluation
    from harness_plugins.thesis.vit.examples import Examples

SUMMARY = "measure the accuracy, confusion and class probabilities of a trained model"
REQUIRES = VIT


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness evaluate`."""
    parser.add_argument(
        "checkpoint",
        metavar="CHECKPOINT",
        help="a file that `harness train` wrote, or one that is shipped, such as flowers-one-head",
    )
    parser.add_argument(
        "--images",
        required=True,
        metavar="SET",
        help="labelled image set, such as 'fashion-mnist[path=DIR]'; by default its test split",
    )
    parser.add_argument(
        "--probabilities",
        action="append",
        default=[],
        metavar="IMAGE",
        help="print the probabilities of all classes for an image; may be repeated",
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write one row per image")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_threads_option(parser)
    add_plugin_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and print; returns the exit code."""
    from harness.command import classes_of, shown_progress, write_table
    from harness_plugins.thesis.vit.checkpoint import load
    from harness_plugins.thesis.vit.evaluation import evaluate
    from harness_plugins.thesis.vit.examples import gather
    from harness_plugins.thesis.vit.files import checkpoint_file

    set_threads(arguments.threads)
    loaded = load(checkpoint_file(arguments.checkpoint))
    images = harness.image_set(arguments.images, plugins=arguments.plugins or ())
    classes, settings = list(classes_of(images)), loaded.model.settings
    if not classes:
        raise HarnessError(f"{arguments.images}: its images have no labels")
    _check_classes(arguments.images, classes, loaded)
    size = settings.height, settings.width
    with shown_progress() as progress:
        examples = gather(images, classes, size, settings.channels, progress)
        for key, reason in examples.left_out.items():
            progress.warn(f"{key} is left out: {reason}")
    unknown = sorted(set(arguments.probabilities) - set(examples.keys))
    if unknown:
        why = examples.left_out.get(unknown[0])
        problem = f"{unknown[0]}: {why}" if why else f"there is no image {unknown[0]!r}"
        raise HarnessError(f"{arguments.images}: {problem}")
    with shown_progress() as progress:
        found = evaluate(loaded, examples, progress)
    if arguments.csv is not None:
        write_table(_table(found, examples, classes), arguments.csv)
    shown = {key: examples.keys.index(key) for key in arguments.probabilities}
    if arguments.json:
        print(json.dumps(_summary(found, examples, classes, shown), indent=2))
    else:
        _show(found, classes, shown)
    return 0


def following(arguments: argparse.Namespace) -> Sequence[str]:
    """Clusters of the model's attention."""
    from harness.command import format_value

    checkpoint = format_value(arguments.checkpoint)
    images = ("--images", arguments.images)
    return "run", "--extractors", f"one-layer-vit[checkpoint={checkpoint}]", *images


def _check_classes(images: str, classes: Sequence[str], loaded: "Checkpoint") -> None:
    learned, number = loaded.record.get("classes"), loaded.model.settings.classes
    if len(classes) != number or (learned is not None and learned != classes):
        known = ", ".join(learned) if learned else f"{number} classes"
        raise HarnessError(
            f"{images}: its classes are {', '.join(classes)}; the model knows {known}"
        )


def _summary(
    found: "Evaluation", examples: "Examples", classes: Sequence[str], shown: dict[str, int]
) -> dict[str, Any]:
    return {
        "images": len(examples),
        "digest": examples.digest,
        "left_out": dict(examples.left_out),
        "accuracy": found.accuracy,
        "accuracy_by_class": {
            name: None if math.isnan(accuracy) else float(accuracy)
            for name, accuracy in zip(classes, found.accuracy_by_class, strict=True)
        },
        "confusion": found.confusion.tolist(),
        "probabilities": {
            key: dict(zip(classes, found.probabilities[at].tolist(), strict=True))
            for key, at in shown.items()
        },
    }


def _table(
    found: "Evaluation", examples: "Examples", classes: Sequence[str]
) -> dict[str, Sequence[Any]]:
    """One row per image, by column."""
    columns: dict[str, Sequence[Any]] = {
        "image": examples.keys,
        "class": [classes[label] for label in found.labels],
        "predicted": [classes[label] for label in found.predicted],
    }
    for name, probabilities in zip(classes, found.probabilities.T.tolist(), strict=True):
        # A class may be called like a column.
        columns[f"probability of {name}" if name in columns else name] = probabilities
    return columns


def _show(found: "Evaluation", classes: Sequence[str], shown: dict[str, int]) -> None:
    from functools import partial

    from harness.command import Column, number, print_text, show_table, table_console

    def count(predicted: int, label: int) -> str:
        return str(found.confusion[label, predicted] or "")

    console = table_console()
    columns: list[Column[int]] = [
        Column("class", lambda label: f"{label} {classes[label]}", words=True),
        Column(
            "accuracy",
            lambda label: number(found.accuracy_by_class[label]),
            "fraction of the class recognised",
        ),
        *(Column(str(label), partial(count, label)) for label in range(len(classes))),
    ]
    show_table(
        console,
        columns,
        range(len(classes)),
        title=f"accuracy {found.accuracy:.4f} on {len(found.labels)} images",
        caption="0 …: numbers of images by predicted class.",
    )
    for key, at in shown.items():
        print_text(console, f"\n{key}: {classes[found.labels[at]]}")
        for label in found.probabilities[at].argsort()[::-1]:
            print_text(console, f"  {found.probabilities[at][label]:.4f} {classes[label]}")
