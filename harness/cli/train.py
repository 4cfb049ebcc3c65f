"""`harness train`: the one-layer ViT on Fashion-MNIST."""

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.identity import SEEDS

if TYPE_CHECKING:
    from harness.vit.training import Progress


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness train`."""
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder with Fashion-MNIST's four IDX files, plain or gzipped",
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="checkpoint to write (safetensors)"
    )
    model = parser.add_argument_group("model")
    model.add_argument("--patch", type=int, default=2, help="patch side in pixels (default 2)")
    model.add_argument("--dimension", type=int, default=48, help="token dimension (default 48)")
    model.add_argument("--heads", type=int, default=1, help="attention heads (default 1)")
    model.add_argument("--no-attention", action="store_true", help="leave the attention out")
    model.add_argument("--no-mlp", action="store_true", help="leave the MLP out")
    training = parser.add_argument_group("training (AdamW, warm-up, cosine decay)")
    training.add_argument("--epochs", type=int, default=10, help="default 10")
    training.add_argument("--batch", type=int, default=128, help="default 128")
    training.add_argument("--learning-rate", type=float, default=1e-3, help="default 0.001")
    training.add_argument("--weight-decay", type=float, default=0.05, help="default 0.05")
    training.add_argument(
        "--validation",
        type=int,
        default=5000,
        metavar="N",
        help="training images held out to choose the best epoch (default 5000)",
    )
    training.add_argument("--seed", type=int, default=0, help="default 0")
    training.add_argument(
        "--threads", type=int, default=1, help="torch threads; part of what is repeated (default 1)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Train, or go on with an interrupted training; returns the exit code."""
    _check(arguments)

    import torch

    from harness.data import fashion_mnist
    from harness.vit import checkpoint
    from harness.vit.model import ModelSettings
    from harness.vit.training import TrainingSettings, train

    torch.set_num_threads(arguments.threads)
    training_data = fashion_mnist.load(arguments.data, "train")
    test_data = fashion_mnist.load(arguments.data, "test")
    if not fashion_mnist.is_published({**training_data.checksums, **test_data.checksums}):
        print("warning: these files are not the published Fashion-MNIST", file=sys.stderr)
    height, width = training_data.images.shape[1:]
    try:
        model_settings = ModelSettings(
            height=height,
            width=width,
            patch=arguments.patch,
            dimension=arguments.dimension,
            heads=arguments.heads,
            attention=not arguments.no_attention,
            mlp=not arguments.no_mlp,
        )
    except ValueError as error:
        raise HarnessError(str(error)) from error
    settings = TrainingSettings(
        epochs=arguments.epochs,
        batch=arguments.batch,
        learning_rate=arguments.learning_rate,
        weight_decay=arguments.weight_decay,
        validation=arguments.validation,
        seed=arguments.seed,
    )
    state_path = arguments.out.with_name(arguments.out.name + ".training")
    if state_path.exists():
        print(f"going on with the training kept in {state_path}", file=sys.stderr)
    with _reporter(settings.epochs) as report:
        trained = train(training_data, test_data, model_settings, settings, state_path, report)
    checkpoint.save(arguments.out, trained)
    state_path.unlink()
    record = trained.record
    print(
        f"{arguments.out}: validation accuracy {record['validation_accuracy']:.4f} "
        f"(epoch {record['best_epoch']}), test accuracy {record['test_accuracy']:.4f}"
    )
    return 0


def _check(arguments: argparse.Namespace) -> None:
    for name in ("patch", "dimension", "heads", "epochs", "batch", "threads", "validation"):
        if getattr(arguments, name) < 1:
            raise HarnessError(f"--{name} {getattr(arguments, name)}: must be at least 1")
    if not 0 < arguments.learning_rate < math.inf:
        raise HarnessError(f"--learning-rate {arguments.learning_rate}: must be a positive number")
    if not 0 <= arguments.weight_decay < math.inf:
        raise HarnessError(
            f"--weight-decay {arguments.weight_decay}: must be a number of at least 0"
        )
    if not 0 <= arguments.seed < SEEDS:
        raise HarnessError(f"--seed {arguments.seed}: must be a number in 0 … {SEEDS - 1}")
    if arguments.out.exists():
        raise HarnessError(f"{arguments.out}: exists already; choose another --out or move it")
    if not arguments.out.parent.is_dir():
        raise HarnessError(f"{arguments.out.parent}: no such folder for --out")


@contextmanager
def _reporter(epochs: int) -> Iterator[Callable[["Progress"], None]]:
    """A live bar on a terminal, a line an epoch elsewhere; both on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
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
        task = bars.add_task("training", total=None)

        def live(progress: "Progress") -> None:
            bars.update(
                task,
                total=epochs * progress.batches,
                completed=(progress.epoch - 1) * progress.batches + progress.batch,
                description=f"epoch {progress.epoch}/{epochs}, loss {progress.loss:.3f}",
            )
            line(progress)

        yield live
