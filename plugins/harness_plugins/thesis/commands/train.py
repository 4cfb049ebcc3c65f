"""`harness train`: one-layer ViTs on any labelled image set, one or a study of many."""

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import HarnessError
from harness.command import add_plugin_option

if TYPE_CHECKING:
    import torch

    from harness_plugins.thesis.vit.examples import Examples
    from harness_plugins.thesis.vit.study import Training
    from harness_plugins.thesis.vit.training import Progress, Splits

SUMMARY = "train one-layer Vision Transformers on a labelled image set"

NOT_SETTINGS = ("study", "out", "device", "threads", "plugins", "verb", "function")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness train`."""
    parser.add_argument(
        "study",
        type=Path,
        nargs="?",
        metavar="STUDY.toml",
        help="train every combination that the file lists; --out is then a folder",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="PATH",
        help="checkpoint to write (safetensors), or a study's folder",
    )
    images = parser.add_argument_group("images")
    images.add_argument(
        "--images", metavar="SET", help="labelled image set, such as 'fashion-mnist[path=DIR]'"
    )
    images.add_argument(
        "--size", metavar="N|HxW", help="pixels that images are made to fit (default: their own)"
    )
    images.add_argument(
        "--channels", type=int, help="1 for grey, 3 for RGB (default: the images' own)"
    )
    model = parser.add_argument_group("model")
    model.add_argument("--patch", type=int, help="patch side in pixels (default 2)")
    model.add_argument("--dimension", type=int, help="token dimension (default 48)")
    model.add_argument("--heads", type=int, help="attention heads (default 1)")
    model.add_argument(
        "--no-attention",
        dest="attention",
        action="store_false",
        default=None,
        help="leave the attention out",
    )
    model.add_argument(
        "--no-mlp", dest="mlp", action="store_false", default=None, help="leave the MLP out"
    )
    training = parser.add_argument_group("training")
    training.add_argument(
        "--recipe",
        choices=("modern", "thesis"),
        help="modern: AdamW, 10 epochs, learning rate 0.001 with warm-up and cosine decay; "
        "thesis: SGD, 512 epochs, learning rate 0.0003, momentum 0.9 (default modern)",
    )
    training.add_argument("--optimiser", choices=("adamw", "sgd"))
    training.add_argument("--epochs", type=int)
    training.add_argument("--batch", type=int)
    training.add_argument("--learning-rate", type=float)
    training.add_argument("--momentum", type=float, help="of sgd")
    training.add_argument("--weight-decay", type=float)
    training.add_argument(
        "--augmentation",
        type=int,
        metavar="PIXELS",
        help="shift training images by up to as many pixels, and flip half of them",
    )
    training.add_argument("--seed", type=int, help="default 0")
    execution = parser.add_argument_group("execution")
    execution.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="default auto"
    )
    execution.add_argument(
        "--threads", type=int, default=1, help="torch threads; part of what is repeated (default 1)"
    )
    add_plugin_option(execution)


def run(arguments: argparse.Namespace) -> int:
    """Train, or go on with what was interrupted; returns the exit code."""
    from harness_plugins.thesis.vit.study import read_study, training

    if arguments.threads < 1:
        raise HarnessError(f"--threads {arguments.threads}: must be at least 1")
    settings = {name: value for name, value in vars(arguments).items() if name not in NOT_SETTINGS}
    if arguments.study is None:
        one = training(settings)
        if arguments.out.exists():
            raise HarnessError(f"{arguments.out}: exists already; choose another --out or move it")
        if not arguments.out.parent.is_dir():
            raise HarnessError(f"{arguments.out.parent}: no such folder for --out")
        trainings = {arguments.out: one}
    else:
        _refuse(settings)
        named = read_study(arguments.study)
        _make_folder(arguments.out)
        trainings = {arguments.out / f"{name}.safetensors": one for name, one in named.items()}
    _train_all(trainings, _device(arguments.device), arguments)
    return 0


def _refuse(settings: Mapping[str, Any]) -> None:
    given = [name for name, value in settings.items() if value is not None]
    if given:
        flag = given[0].replace("_", "-")
        raise HarnessError(f"--{flag} stands beside a study; write it into the study's file")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HarnessError(f"--out {folder}: cannot be a folder: {error.strerror}") from error


def _device(wanted: str) -> "torch.device":
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise HarnessError("--device cuda: torch finds no CUDA device here; take cpu or auto")
    if wanted == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    torch.use_deterministic_algorithms(True)
    return torch.device("cuda")


def _train_all(
    trainings: Mapping[Path, "Training"], device: "torch.device", arguments: argparse.Namespace
) -> None:
    import torch

    from harness_plugins.thesis.vit import checkpoint

    torch.set_num_threads(arguments.threads)
    # Those of the images that the trainings before had too are not read again.
    kept: dict[tuple[Any, ...], Splits] = {}
    for place, (path, one) in enumerate(trainings.items(), 1):
        if len(trainings) > 1:
            print(f"{place}/{len(trainings)} {path.stem}", file=sys.stderr)
        if not path.exists():
            images = one.images, one.size, one.channels
            if images not in kept:
                kept = {images: _splits(one, arguments.plugins)}
            checkpoint.save(path, _trained(path, one, kept[images], device))
            _state_path(path).unlink()
        record = checkpoint.load(path).record
        print(
            f"{path}: validation accuracy {record['validation_accuracy']:.4f} "
            f"(epoch {record['best_epoch']}), test accuracy {record['test_accuracy']:.4f}",
            flush=True,
        )


def _splits(one: "Training", plugins: list[Path] | None) -> "Splits":
    """The three splits of the images; the validation and test images fit the training ones."""
    import dataclasses

    import harness
    from harness_plugins.thesis.vit.examples import gather
    from harness_plugins.thesis.vit.training import Splits

    images = harness.make("image set", one.images, plugins or ())
    if not isinstance(images, harness.LabelledImageSet):
        raise HarnessError(
            f"{one.images}: has no training images with labels; `harness data list` names sets "
            "that have"
        )

    classes = images.classes()

    def examples(split: str, like: "Examples | None" = None) -> "Examples":
        part = dataclasses.replace(images, split=split)  # type: ignore[type-var]
        if like is None:
            return gather(part, classes, one.size, one.channels)
        return gather(part, classes, like.shape[:2], like.shape[2])

    training = examples("train")
    return Splits(training, examples("validation", training), examples("test", training), classes)


def _trained(path: Path, one: "Training", splits: "Splits", device: "torch.device") -> Any:
    from harness_plugins.thesis.vit.model import ModelSettings
    from harness_plugins.thesis.vit.training import train

    height, width, channels = splits.training.shape
    try:
        model = ModelSettings(
            height=height,
            width=width,
            channels=channels,
            patch=one.patch,
            dimension=one.dimension,
            heads=one.heads,
            attention=one.attention,
            mlp=one.mlp,
            classes=len(splits.classes),
        )
    except ValueError as error:
        raise HarnessError(str(error)) from error
    state_path = _state_path(path)
    if state_path.exists():
        print(f"going on with the training kept in {state_path}", file=sys.stderr)
    with _reporter(one.how.epochs) as report:
        return train(splits, model, one.how, state_path, report, device)


def _state_path(path: Path) -> Path:
    return path.with_name(path.name + ".training")


@contextmanager
def _reporter(epochs: int) -> Iterator[Callable[["Progress"], None]]:
    """A live bar on a terminal, a line an epoch elsewhere; both on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)

    def line(progress: "Progress") -> None:
        if progress.validation_accuracy is not None:
            console.print(
                f"epoch {progress.epoch}/{progress.epochs}: loss {progress.loss:.4f}, "
                f"validation accuracy {progress.validation_accuracy:.4f}",
                highlight=False,
            )

    if not console.is_terminal:
        yield line
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Bars(*columns, console=console) as bars:
        tasks: list[TaskID] = []

        def live(progress: "Progress") -> None:
            done = (progress.epoch - 1) * progress.batches + progress.batch
            if not tasks:
                # Begun here, so that epochs of an earlier session do not count as fast ones.
                total = epochs * progress.batches
                tasks.append(bars.add_task("training", total=total, completed=done))
            description = f"epoch {progress.epoch}/{epochs}, loss {progress.loss:.3f}"
            bars.update(tasks[0], completed=done, description=description)
            line(progress)

        yield live
