"""Training of the one-layer ViT on labelled images, resumable after every epoch."""

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from harness.data.fashion_mnist import LabelledImages
from harness.errors import HarnessError
from harness.vit.checkpoint import (
    Checkpoint,
    Normalisation,
    read_tensors,
    write_tensors,
)
from harness.vit.model import ModelSettings, OneLayerViT

WARM_UP = 0.05
EVALUATION_BATCH = 500


@dataclass(frozen=True)
class TrainingSettings:
    """AdamW (Loshchilov & Hutter 2019) with linear warm-up and cosine decay to zero."""

    epochs: int = 10
    batch: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    validation: int = 5000
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """Where a training stands, after a batch (accuracy None) or at the end of an epoch."""

    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float
    validation_accuracy: float | None


@dataclass(frozen=True, eq=False)
class _Split:
    """Bytes (count, channels, height, width) and labels (count,)."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self, order: Tensor, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        for chosen in torch.split(order, size):
            yield self.images[chosen], self.labels[chosen]


@dataclass
class _State:
    """All that an interrupted training needs to go on as if it had not been interrupted."""

    epoch: int
    best_accuracy: float
    best_epoch: int
    history: list[dict[str, float]]
    best: dict[str, Tensor]

    def save(self, path: Path, run: dict[str, Any], model: OneLayerViT, optimiser: Any) -> None:
        moments = {
            f"moments.{index}.{name}": value
            for index, state in optimiser.state_dict()["state"].items()
            for name, value in state.items()
        }
        tensors = {
            **{f"model.{name}": value for name, value in model.state_dict().items()},
            **{f"best.{name}": value for name, value in self.best.items()},
            **moments,
        }
        metadata = {
            "run": run,
            "epoch": self.epoch,
            "best_accuracy": self.best_accuracy,
            "best_epoch": self.best_epoch,
            "history": self.history,
        }
        write_tensors(path, tensors, metadata)

    @classmethod
    def load(cls, path: Path, run: dict[str, Any], model: OneLayerViT, optimiser: Any) -> "_State":
        tensors, metadata = read_tensors(path)
        if metadata.get("run") != run:
            raise HarnessError(
                f"{path}: an interrupted training with other settings or data is kept there; "
                "repeat its settings, delete the file, or choose another --out"
            )

        def part(prefix: str) -> dict[str, Tensor]:
            return {
                name.removeprefix(prefix): value
                for name, value in tensors.items()
                if name.startswith(prefix)
            }

        model.load_state_dict(part("model."))
        moments: dict[int, dict[str, Tensor]] = {}
        for name, value in part("moments.").items():
            index, key = name.split(".")
            moments.setdefault(int(index), {})[key] = value
        groups = optimiser.state_dict()["param_groups"]
        optimiser.load_state_dict({"state": moments, "param_groups": groups})
        return cls(
            metadata["epoch"],
            metadata["best_accuracy"],
            metadata["best_epoch"],
            metadata["history"],
            part("best."),
        )


def accuracy(model: OneLayerViT, normalisation: Normalisation, split: _Split) -> float:
    """Share of images whose largest logit is their label's."""
    model.eval()
    right = 0
    with torch.inference_mode():
        for images, labels in split.batches(torch.arange(len(split)), EVALUATION_BATCH):
            right += int((model(normalisation(images)).argmax(1) == labels).sum())
    return right / len(split)


def train(
    training_data: LabelledImages,
    test_data: LabelledImages,
    model_settings: ModelSettings,
    settings: TrainingSettings,
    state_path: Path,
    report: Callable[[Progress], None],
) -> Checkpoint:
    """Train a one-layer ViT and return the weights of its best validation epoch.

    The last `settings.validation` of the shuffled training images are held out. After every
    epoch the state goes to `state_path`; if that file exists, training goes on from there, to
    the same weights. The caller removes it when the checkpoint is safe.

    Raises HarnessError if the data do not fit the model, or the state is of another training.
    """
    _check_sizes(training_data, test_data, model_settings, settings)
    training, validation, normalisation = _split(training_data, settings)
    torch.manual_seed(settings.seed)
    model = OneLayerViT(model_settings)
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    run = {
        "model": dataclasses.asdict(model_settings),
        "training": dataclasses.asdict(settings),
        "data": {**training_data.checksums, **test_data.checksums},
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    if state_path.exists():
        state = _State.load(state_path, run, model, optimiser)
    else:
        state = _State(0, -1.0, 0, [], {})

    batches = math.ceil(len(training) / settings.batch)
    schedule = _schedule(settings.learning_rate, batches * settings.epochs)
    while state.epoch < settings.epochs:
        epoch = state.epoch + 1
        started = time.perf_counter()
        order = torch.randperm(
            len(training), generator=torch.Generator().manual_seed(settings.seed + epoch)
        )
        losses = []
        model.train()
        for batch, (images, labels) in enumerate(training.batches(order, settings.batch), 1):
            for group in optimiser.param_groups:
                group["lr"] = schedule(state.epoch * batches + batch)
            loss = functional.cross_entropy(model(normalisation(images)), labels)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(loss.item())
            report(Progress(epoch, settings.epochs, batch, batches, losses[-1], None))
        reached = accuracy(model, normalisation, validation)
        if reached > state.best_accuracy:
            state.best_accuracy, state.best_epoch = reached, epoch
            state.best = {name: value.clone() for name, value in model.state_dict().items()}
        mean_loss = float(np.mean(losses))
        state.history.append(
            {
                "loss": mean_loss,
                "validation_accuracy": reached,
                "seconds": round(time.perf_counter() - started, 1),
            }
        )
        state.epoch = epoch
        state.save(state_path, run, model, optimiser)
        report(Progress(epoch, settings.epochs, batches, batches, mean_loss, reached))

    model.load_state_dict(state.best)
    record = {
        **run,
        "history": state.history,
        "best_epoch": state.best_epoch,
        "validation_accuracy": state.best_accuracy,
        "test_accuracy": accuracy(model, normalisation, _as_split(test_data)),
    }
    return Checkpoint(model.eval(), normalisation, record)


def _check_sizes(
    training: LabelledImages,
    test: LabelledImages,
    model: ModelSettings,
    settings: TrainingSettings,
) -> None:
    for name, data in (("training", training), ("test", test)):
        height, width = data.images.shape[1:]
        if (height, width) != (model.height, model.width):
            raise HarnessError(
                f"the {name} images are {height}×{width}, the model takes "
                f"{model.height}×{model.width}"
            )
    if not 0 < settings.validation < len(training.labels):
        raise HarnessError(
            f"{settings.validation} validation images cannot be held out of "
            f"{len(training.labels)}; choose a number between"
        )


def _as_split(data: LabelledImages) -> _Split:
    # Copied, because torch has no tensors over read-only memory.
    images = torch.from_numpy(data.images.copy()).unsqueeze(1)
    return _Split(images, torch.from_numpy(data.labels.astype(np.int64)))


def _split(
    data: LabelledImages, settings: TrainingSettings
) -> tuple[_Split, _Split, Normalisation]:
    whole = _as_split(data)
    shuffle = torch.Generator().manual_seed(settings.seed)
    order = torch.randperm(len(whole), generator=shuffle)
    kept, held_out = order[: -settings.validation], order[-settings.validation :]
    training = _Split(whole.images[kept], whole.labels[kept])
    pixels = training.images.numpy() / np.float32(255)
    mean, deviation = pixels.mean(dtype=np.float64), pixels.std(dtype=np.float64)
    normalisation = Normalisation(round(float(mean), 6), round(float(deviation), 6))
    return training, _Split(whole.images[held_out], whole.labels[held_out]), normalisation


def _schedule(peak: float, steps: int) -> Callable[[int], float]:
    warm_up = max(1, round(WARM_UP * steps))

    def rate(step: int) -> float:
        if step <= warm_up:
            return peak * step / warm_up
        return peak * 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))

    return rate
