"""`harness train`: one-layer ViTs on any labelled image set, one model or a study of many."""

import argparse
import dataclasses
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import harness
from harness import HarnessError
from harness.command import add_plugin_option

if TYPE_CHECKING:
    import torch

    from harness.command import Progress
    from harness_plugins.thesis.vit.checkpoint import Checkpoint
    from harness_plugins.thesis.vit.study import Training
    from harness_plugins.thesis.vit.training import Splits, TrainingStep

SUMMARY = "train one-layer Vision Transformers on a labelled image set"

SHAPE = ("patch", "dimension", "heads", "attention", "mlp")
NOT_SETTINGS = ("study", "out", "device", "threads", "plugins", "verb")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness train`."""
    add = parser.add_argument
    add(
        "study",
        type=Path,
        nargs="?",
        metavar="STUDY.toml",
        help="train every combination that the file lists; --out is then a folder",
    )
    add("--out", type=Path, required=True, metavar="PATH",
        help="checkpoint to write (safetensors), or a study's folder")  # fmt: skip
    add = parser.add_argument_group("images").add_argument
    add("--images", metavar="SET", help="labelled image set, such as 'fashion-mnist[path=DIR]'")
    add("--size", metavar="N|HxW", help="resize images to these pixels (default: their own size)")
    add("--channels", type=int, help="1 for grey, 3 for RGB (default: the images' own)")
    add = parser.add_argument_group("model").add_argument
    add("--patch", type=int, help="patch side in pixels (default 2)")
    add("--dimension", type=int, help="token dimension (default 48)")
    add("--heads", type=int, help="attention heads (default 1)")
    for part, name in (("attention", "attention"), ("mlp", "MLP")):
        add(f"--no-{part}", dest=part, action="store_false", default=None,
            help=f"leave the {name} out")  # fmt: skip
    add = parser.add_argument_group("training").add_argument
    add(
        "--recipe",
        choices=("modern", "thesis"),
        help="modern: AdamW, 10 epochs, learning rate 0.001 with warm-up and cosine decay; "
        "thesis: SGD, 512 epochs, learning rate 0.0003, momentum 0.9 (default modern)",
    )
    add("--optimiser", choices=("adamw", "sgd"))
    add("--epochs", type=int)
    add("--batch", type=int)
    add("--learning-rate", type=float)
    add("--momentum", type=float, help="of sgd")
    add("--weight-decay", type=float)
    add("--augmentation", type=int, metavar="PIXELS",
        help="shift training images by up to this many pixels, and flip half of them")  # fmt: skip
    add("--seed", type=int, help="default 0")
    execution = parser.add_argument_group("execution")
    add = execution.add_argument
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="default auto")
    add("--threads", type=int, default=1,
        help="torch threads; the weights depend on their number (default 1)")  # fmt: skip
    add_plugin_option(execution)


def run(arguments: argparse.Namespace) -> int:
    """Train, or resume an interrupted training; returns the exit code."""
    import torch

    if arguments.threads < 1:
        raise HarnessError(f"--threads {arguments.threads}: must be at least 1")
    trainings = _trainings(arguments)
    device = _device(arguments.device)
    torch.set_num_threads(arguments.threads)
    _train_all(trainings, device, arguments.plugins or ())
    return 0


def _trainings(arguments: argparse.Namespace) -> Mapping[Path, "Training"]:
    """Every training that the arguments ask for, by the file of its checkpoint."""
    from harness_plugins.thesis.vit.study import read_study, training

    settings = {name: value for name, value in vars(arguments).items() if name not in NOT_SETTINGS}
    out: Path = arguments.out
    if arguments.study is None:
        one = training(settings)
        if out.exists():
            raise HarnessError(f"{out}: exists already; choose another --out or move it")
        if not out.parent.is_dir():
            raise HarnessError(f"{out.parent}: no such folder for --out")
        return {out: one}
    for name, value in settings.items():
        if value is not None:
            flag = name.replace("_", "-")
            raise HarnessError(f"--{flag} cannot be given with a study; write it into its file")
    named = read_study(arguments.study)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HarnessError(f"--out {out}: cannot be a folder: {error.strerror}") from error
    return {out / f"{name}.safetensors": one for name, one in named.items()}


def _device(wanted: str) -> "torch.device":
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise HarnessError("--device cuda: torch finds no CUDA device here; take cpu or auto")
    if wanted == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    torch.use_deterministic_algorithms(True)
    return torch.device("cuda")


def _train_all(
    trainings: Mapping[Path, "Training"], device: "torch.device", plugins: Sequence[Path]
) -> None:
    from harness_plugins.thesis.vit import checkpoint

    # Images that several trainings share are read once.
    splits: dict[tuple[Any, ...], Splits] = {}
    for number, (path, one) in enumerate(trainings.items(), 1):
        if len(trainings) > 1:
            print(f"{number}/{len(trainings)} {path.stem}", file=sys.stderr)
        if not path.exists():
            images = one.images, one.size, one.channels
            if images not in splits:
                splits = {images: _splits(one, plugins)}
            checkpoint.save(path, _trained(path, one, splits[images], device))
            _state_path(path).unlink()
        record = checkpoint.load(path).record
        print(
            f"{path}: validation accuracy {record['validation_accuracy']:.4f} "
            f"(epoch {record['best_epoch']}), test accuracy {record['test_accuracy']:.4f}",
            flush=True,
        )


def _splits(one: "Training", plugins: Sequence[Path]) -> "Splits":
    """The three splits of the images; validation and test images take the training images' size."""
    from harness_plugins.thesis.vit.examples import gather
    from harness_plugins.thesis.vit.training import Splits

    images = harness.make("image set", one.images, plugins)
    if not isinstance(images, harness.LabelledImageSet):
        raise HarnessError(
            f"{one.images}: has no training images with labels; `harness data list` names sets "
            "that have"
        )
    classes = images.classes()
    train, *others = (
        dataclasses.replace(images, split=split)  # type: ignore[type-var]
        for split in ("train", "validation", "test")
    )
    training = gather(train, classes, one.size, one.channels)
    size, channels = training.shape[:2], training.shape[2]
    validation, test = (gather(split, classes, size, channels) for split in others)
    return Splits(training, validation, test, classes)


def _trained(path: Path, one: "Training", splits: "Splits", device: "torch.device") -> "Checkpoint":
    from harness.command import shown_progress
    from harness_plugins.thesis.vit.model import ModelSettings
    from harness_plugins.thesis.vit.training import train

    height, width, channels = splits.training.shape
    try:
        shape = {name: getattr(one, name) for name in SHAPE}
        model = ModelSettings(height, width, channels, classes=len(splits.classes), **shape)
    except ValueError as error:
        raise HarnessError(str(error)) from error
    state_path = _state_path(path)
    if state_path.exists():
        print(f"resuming the training stored in {state_path}", file=sys.stderr)
    with shown_progress() as progress:
        return train(splits, model, one.how, state_path, _reporter(progress), device)


def _state_path(path: Path) -> Path:
    return path.with_name(path.name + ".training")


def _reporter(progress: "Progress") -> Callable[["TrainingStep"], None]:
    """Shows batches as steps of one phase, and a line per epoch."""
    has_begun = False

    def report(step: "TrainingStep") -> None:
        nonlocal has_begun
        if step.validation_accuracy is not None:
            progress.note(
                f"epoch {step.epoch}/{step.epochs}: loss {step.loss:.4f}, "
                f"validation accuracy {step.validation_accuracy:.4f}"
            )
            return
        if not has_begun:
            # Epochs of an earlier session do not count.
            progress.begin("training batches", (step.epochs - step.epoch + 1) * step.batches)
            has_begun = True
        progress.advance()

    return report
