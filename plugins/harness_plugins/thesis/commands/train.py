"""`harness train`: one-layer ViTs on any labelled image set, one model or a study of many."""

import argparse
import dataclasses
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from harness import HarnessError
from harness.command import add_plugin_option
from harness_plugins.thesis.commands.threads import add_threads_option, set_threads
from harness_plugins.thesis.vit import VIT

if TYPE_CHECKING:
    import torch

    from harness.command import Progress
    from harness_plugins.thesis.vit.checkpoint import Checkpoint
    from harness_plugins.thesis.vit.model import ModelSettings
    from harness_plugins.thesis.vit.splits import Splits
    from harness_plugins.thesis.vit.study import Size, Training
    from harness_plugins.thesis.vit.training import TrainingStep

    Read = Callable[[Training], Splits]

SUMMARY = "train one-layer Vision Transformers on a labelled image set"
REQUIRES = VIT

SHAPE = ("patch", "dimension", "heads", "attention", "mlp")
# The exit code of the harness after an interruption.
INTERRUPTED = 130
NOT_SETTINGS = ("study", "out", "device", "threads", "plugins", "verb")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness train`."""
    add = parser.add_argument
    add(
        "study",
        type=Path,
        nargs="?",
        metavar="STUDY.toml",
        help="train every combination that this file lists; --out is then a folder",
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
            help=f"omit the {name}")  # fmt: skip
    add = parser.add_argument_group("training").add_argument
    add(
        "--recipe",
        choices=("modern", "thesis"),
        help="modern: AdamW, 10 epochs, learning rate 0.001 with warm-up and cosine decay, weight "
        "decay 0.05; thesis: SGD, 512 epochs, learning rate 0.0003, momentum 0.9 (default modern)",
    )
    add("--optimiser", choices=("adamw", "sgd"), help="default: the recipe's")
    add("--epochs", type=int, help="default: the recipe's")
    add("--batch", type=int, help="images per batch (default 128)")
    add("--learning-rate", type=float, help="default: the recipe's")
    add("--momentum", type=float, help="momentum of sgd (default 0.9)")
    add("--weight-decay", type=float, help="default: the recipe's")
    add("--augmentation", type=int, metavar="PIXELS",
        help="shift training images by up to this many pixels, and flip half of them")  # fmt: skip
    add("--crop", type=float, metavar="FRACTION",
        help="enlarge random parts of at least this fraction of the area; flip half")  # fmt: skip
    add("--colour", type=float, metavar="FRACTION",
        help="change brightness, contrast and saturation by up to this fraction")  # fmt: skip
    add("--seed", type=int, help="seed of the training (default 0)")
    execution = parser.add_argument_group("execution")
    add = execution.add_argument
    add("--device", choices=("auto", "cpu", "cuda"), default="auto",
        help="auto takes CUDA if there is one (default auto)")  # fmt: skip
    add_threads_option(execution, "; the weights depend on their number")
    add_plugin_option(execution)


def run(arguments: argparse.Namespace) -> int:
    """Train, or resume an interrupted training; returns the exit code."""
    set_threads(arguments.threads)
    trainings = _trainings(arguments)
    device, plugins = _device(arguments.device), arguments.plugins or ()
    try:
        read = _reader(plugins)
        _check_all(trainings, device, plugins, read)
        _train_all(trainings, device, read)
    except KeyboardInterrupt:
        if any(path.exists() or _state_path(path).exists() for path in trainings):
            way = "the same command resumes after the last complete epoch"
        else:
            way = "no epoch is complete, so the same command starts anew"
        print(f"harness: interrupted; {way}", file=sys.stderr)
        return INTERRUPTED
    return 0


def following(arguments: argparse.Namespace) -> Sequence[str]:
    """The accuracy of one trained model; none of a study."""
    if arguments.study is not None:
        return ()
    return "evaluate", str(arguments.out), "--images", arguments.images


def _trainings(arguments: argparse.Namespace) -> Mapping[Path, "Training"]:
    """Every training that the arguments ask for, by the file of its checkpoint."""
    from harness_plugins.thesis.vit.study import read_study, training

    settings = {name: value for name, value in vars(arguments).items() if name not in NOT_SETTINGS}
    out: Path = arguments.out
    if arguments.study is None:
        one = training(settings)
        # Unlike Path.exists, these take any name.
        if os.path.exists(out):
            raise HarnessError(f"{out}: exists already; choose another --out or move it")
        if not os.path.isdir(out.parent):
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

    from harness_plugins.extractors.devices import FIXED, WORKSPACE

    if wanted == "cuda" and not torch.cuda.is_available():
        raise HarnessError("--device cuda: torch finds no CUDA device here; take cpu or auto")
    if wanted == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    os.environ.setdefault(WORKSPACE, FIXED)
    torch.use_deterministic_algorithms(True)
    return torch.device("cuda")


def _reader(plugins: Sequence[Path]) -> "Read":
    """Reads the images of a training; those that it shares with the last one are kept."""
    from harness.command import shown_progress
    from harness_plugins.thesis.vit.splits import Splits, SplitSets

    @lru_cache(maxsize=1)
    def read(images: str, size: "Size | None", channels: int | None) -> Splits:
        with shown_progress() as progress:
            return SplitSets.find(images, plugins).read(size, channels, progress)

    return lambda one: read(one.images, one.size, one.channels)


def _check_all(
    trainings: Mapping[Path, "Training"],
    device: "torch.device",
    plugins: Sequence[Path],
    read: "Read",
) -> None:
    """Check what can be known of all trainings before the first one begins."""
    from harness_plugins.thesis.vit import checkpoint
    from harness_plugins.thesis.vit.files import locked
    from harness_plugins.thesis.vit.splits import SplitSets
    from harness_plugins.thesis.vit.study import check_images, check_settings
    from harness_plugins.thesis.vit.training import check_possible

    @cache
    def find(images: str) -> SplitSets:
        return SplitSets.find(images, plugins)

    @cache
    def shape(images: str, size: "Size | None", channels: int | None) -> tuple[int, int, int]:
        return find(images).shape(size, channels)

    for path, one in trainings.items():
        if os.path.exists(path):
            record = checkpoint.load(path).record
            check_settings(path, record, one)
            check_images(path, record, read(one))
            continue
        with locked(path):
            sets = find(one.images)
            model = _model(one, shape(one.images, one.size, one.channels), sets.classes)
            check_possible(len(sets.sets[0].keys()), model, one.how, device)


def _model(one: "Training", shape: tuple[int, int, int], classes: Sequence[str]) -> "ModelSettings":
    from harness_plugins.thesis.vit.model import ModelSettings

    try:
        values = {name: getattr(one, name) for name in SHAPE}
        return ModelSettings(*shape, classes=len(classes), **values)
    except ValueError as error:
        raise HarnessError(str(error)) from error


def _train_all(trainings: Mapping[Path, "Training"], device: "torch.device", read: "Read") -> None:
    """Train what is missing; a training of a study that diverges does not stop the others."""
    from harness.command import shown_progress
    from harness_plugins.thesis.vit import checkpoint
    from harness_plugins.thesis.vit.files import locked
    from harness_plugins.thesis.vit.training import DivergedError

    diverged = []
    for number, (path, one) in enumerate(trainings.items(), 1):
        if len(trainings) > 1:
            print(f"{number}/{len(trainings)} {path.stem}", file=sys.stderr)
        try:
            with locked(path):
                if not path.exists():
                    splits = read(one)
                    with shown_progress() as progress:
                        _train(path, one, splits, device, progress)
        except DivergedError as error:
            if len(trainings) == 1:
                raise
            print(f"harness: {error}", file=sys.stderr)
            diverged.append(path.stem)
            continue
        record = checkpoint.load(path).record
        print(
            f"{path}: validation accuracy {record['validation_accuracy']:.4f} "
            f"(epoch {record['best_epoch']}), test accuracy {record['test_accuracy']:.4f}",
            flush=True,
        )
    if diverged:
        names = ", ".join(diverged)
        raise HarnessError(f"{len(diverged)} of {len(trainings)} trainings diverged: {names}")


def _train(
    path: Path, one: "Training", splits: "Splits", device: "torch.device", progress: "Progress"
) -> None:
    """Write the trained model, or the best weights before a training diverged."""
    from harness_plugins.thesis.vit import checkpoint
    from harness_plugins.thesis.vit.training import DivergedError, train

    for key, reason in splits.left_out.items():
        progress.warn(f"{key} is left out: {reason}")
    model, state_path = _model(one, splits.training.shape, splits.classes), _state_path(path)
    if state_path.exists():
        progress.note(f"resuming the training stored in {state_path}")
    try:
        trained = train(splits, model, one.how, state_path, _reporter(progress), device)
    except DivergedError as error:
        kept = "no epoch was complete before"
        if error.sound is not None:
            beside = path.with_name(f"{path.name}.diverged")
            checkpoint.save(beside, _recorded(error.sound, one, splits))
            kept = f"the best weights before are in {beside}"
        state_path.unlink(missing_ok=True)
        raise DivergedError(f"{path}: {error}; {kept}", error.sound) from error
    checkpoint.save(path, _recorded(trained, one, splits))
    state_path.unlink()


def _recorded(trained: "Checkpoint", one: "Training", splits: "Splits") -> "Checkpoint":
    """The model with what its record says of the training's settings and images."""
    from harness_plugins.thesis.vit.study import settings_of

    more = {"settings": settings_of(one), "left_out": dict(splits.left_out)}
    return dataclasses.replace(trained, record={**trained.record, **more})


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
