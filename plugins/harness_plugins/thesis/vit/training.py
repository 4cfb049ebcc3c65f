"""Trains the one-layer ViT on labelled images, resumable after every epoch."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from harness import HarnessError
from harness_plugins.thesis.vit.augmentation import (
    flipped_and_cropped,
    flipped_and_shifted,
    recoloured,
)
from harness_plugins.thesis.vit.checkpoint import (
    Checkpoint,
    Normalisation,
    read_tensors,
    write_tensors,
)
from harness_plugins.thesis.vit.evaluation import evaluate
from harness_plugins.thesis.vit.examples import Examples
from harness_plugins.thesis.vit.files import NotFiniteError
from harness_plugins.thesis.vit.memory import FLOAT, allocating, check_fits, images_at_once
from harness_plugins.thesis.vit.model import ModelSettings, OneLayerViT
from harness_plugins.thesis.vit.splits import Splits

WARM_UP = 0.05
SMALLER = "take a smaller --dimension or --batch, smaller images or larger patches"


@dataclass(frozen=True)
class TrainingSettings:
    """How a model is trained.

    adamw is AdamW (Loshchilov and Hutter 2019) with linear warm-up and cosine decay to zero; sgd
    has a constant learning rate. With `augmentation`, images are shifted at random by up to so
    many pixels; with `crop`, random parts of at least that share of their area are enlarged; either
    way half of them are flipped. With `colour`, brightness, contrast and saturation change by up to
    that share.
    """

    optimiser: Literal["adamw", "sgd"] = "adamw"
    epochs: int = 10
    batch: int = 128
    learning_rate: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.05
    augmentation: int | None = None
    crop: float | None = None
    colour: float | None = None
    seed: int = 0


RECIPES: Mapping[str, TrainingSettings] = {
    "modern": TrainingSettings(),
    # Section 4.1 of the thesis.
    "thesis": TrainingSettings("sgd", epochs=512, learning_rate=3e-4, weight_decay=0.0),
}


@dataclass(frozen=True)
class TrainingStep:
    """The state of a training after a batch (accuracy None) or at the end of an epoch."""

    epoch: int
    epochs: int
    batch: int
    batches: int
    loss: float
    validation_accuracy: float | None


class DivergedError(HarnessError):
    """A training stopped because its loss, weights or logits were not finite.

    sound: the weights of the best epoch before; None if the first epoch was not completed.
    """

    def __init__(self, message: str, sound: Checkpoint | None) -> None:
        super().__init__(message)
        self.sound = sound


@dataclass(frozen=True, eq=False)
class _State:
    """Everything that an interrupted training needs to continue to the same weights."""

    epoch: int = 0
    best_accuracy: float = -1.0
    best_epoch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)

    def after_epoch(
        self, model: OneLayerViT, loss: float, accuracy: float, seconds: float
    ) -> "_State":
        """The state with another epoch, and the model's weights if its accuracy is the best."""
        epoch = {"loss": loss, "validation_accuracy": accuracy, "seconds": round(seconds, 1)}
        ended = replace(self, epoch=self.epoch + 1, history=[*self.history, epoch])
        if accuracy <= self.best_accuracy:
            return ended
        best = {name: value.clone() for name, value in model.state_dict().items()}
        return replace(ended, best_accuracy=accuracy, best_epoch=ended.epoch, best=best)

    def save(self, path: Path, run: dict[str, Any], model: OneLayerViT, optimiser: Any) -> None:
        """Write the state; raises NotFiniteError, and keeps the last one, if it is not sound."""
        tensors = {
            f"{prefix}.{name}": value
            for prefix, named in (("model", model.state_dict()), ("best", self.best))
            for name, value in named.items()
        }
        for index, moments in optimiser.state_dict()["state"].items():
            tensors |= {f"moments.{index}.{name}": value for name, value in moments.items()}
        record = {name: value for name, value in vars(self).items() if name != "best"}
        write_tensors(path, tensors, {"run": run, **record})

    @classmethod
    def load(cls, path: Path, run: dict[str, Any], model: OneLayerViT, optimiser: Any) -> "_State":
        tensors, metadata = read_tensors(path)
        if metadata.pop("run", None) != run:
            raise HarnessError(
                f"{path}: holds an interrupted training with other settings or data; "
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
        return cls(**metadata, best=part("best."))


def train(
    splits: Splits,
    model_settings: ModelSettings,
    settings: TrainingSettings,
    state_path: Path,
    report: Callable[[TrainingStep], None],
    device: torch.device | None = None,
) -> Checkpoint:
    """Train a one-layer ViT and return the weights of its best validation epoch, on the CPU.

    The state is stored in `state_path` after every epoch; if that file exists, training resumes
    from it and reaches the same weights. The caller removes it once the checkpoint is stored.
    Raises DivergedError as soon as the loss, the weights or the logits are not finite.
    """
    device = device or torch.device("cpu")
    _check_sizes(splits, model_settings)
    check_possible(len(splits.training), model_settings, settings, device)
    normalisation = _normalisation(splits.training)
    with allocating("the model and a batch", SMALLER):
        torch.manual_seed(settings.seed)
        model = OneLayerViT(model_settings).to(device)
        optimiser = _optimiser(model, settings)
        run = _description(splits, model_settings, settings, device)
        trained, state = Checkpoint(model, normalisation, {}), _State()
        if state_path.exists():
            state = _State.load(state_path, run, model, optimiser)
        while state.epoch < settings.epochs:
            started = time.perf_counter()
            try:
                last = _train_epoch(
                    state.epoch + 1, model, optimiser, normalisation, splits.training, settings,
                    report,
                )  # fmt: skip
                reached = evaluate(trained, splits.validation).accuracy
                ended = state.after_epoch(model, last.loss, reached, time.perf_counter() - started)
                ended.save(state_path, run, model, optimiser)
            except NotFiniteError as error:
                sound = _best(trained, state, run, splits.test) if state.epoch else None
                raise DivergedError(
                    f"the training diverged in epoch {state.epoch + 1} of {settings.epochs}: "
                    f"{error}; try a smaller --learning-rate",
                    sound,
                ) from error
            state = ended
            report(replace(last, validation_accuracy=reached))
        return _best(trained, state, run, splits.test)


def _best(trained: Checkpoint, state: _State, run: dict[str, Any], test: Examples) -> Checkpoint:
    """The weights of the best epoch, with the record of the training."""
    trained.model.load_state_dict(state.best)
    record = {
        **run,
        "history": state.history,
        "best_epoch": state.best_epoch,
        "validation_accuracy": state.best_accuracy,
        "test_accuracy": evaluate(trained, test).accuracy,
    }
    return Checkpoint(trained.model.cpu(), trained.normalisation, record)


def _description(
    splits: Splits, model: ModelSettings, settings: TrainingSettings, device: torch.device
) -> dict[str, Any]:
    """Everything that the weights depend on."""
    return {
        "model": asdict(model),
        "training": asdict(settings),
        "classes": list(splits.classes),
        "splits": splits.identity,
        "device": device.type,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }


def _train_epoch(
    epoch: int,
    model: OneLayerViT,
    optimiser: torch.optim.Optimizer,
    normalisation: Normalisation,
    training: Examples,
    settings: TrainingSettings,
    report: Callable[[TrainingStep], None],
) -> TrainingStep:
    """Train on every image once; returns the epoch's last step with the mean loss."""
    generator = torch.Generator().manual_seed(settings.seed + epoch)
    order = torch.randperm(len(training), generator=generator)
    size = min(settings.batch, len(training))
    batches = math.ceil(len(training) / size)
    rate = _schedule(settings, batches * settings.epochs)
    losses = []
    model.train()
    for batch, chosen in enumerate(torch.split(order, size), 1):
        images = training.images[chosen]
        if settings.augmentation is not None:
            images = flipped_and_shifted(images, settings.augmentation, generator)
        if settings.crop is not None:
            images = flipped_and_cropped(images, settings.crop, generator)
        if settings.colour is not None:
            images = recoloured(images, settings.colour, generator)
        for group in optimiser.param_groups:
            group["lr"] = rate((epoch - 1) * batches + batch)
        optimiser.zero_grad()
        loss = _add_gradients(model, normalisation, images, training.labels[chosen])
        if not math.isfinite(loss):
            raise NotFiniteError(f"the loss of batch {batch} of {batches} is {loss}")
        _step(optimiser)
        losses.append(loss)
        report(TrainingStep(epoch, settings.epochs, batch, batches, losses[-1], None))
    return TrainingStep(epoch, settings.epochs, batches, batches, float(np.mean(losses)), None)


def _add_gradients(
    model: OneLayerViT, normalisation: Normalisation, images: Tensor, labels: Tensor
) -> float:
    """Add the gradients of a batch's mean loss to the model's, part by part; returns the loss."""
    device = next(model.parameters()).device
    parts = math.ceil(len(labels) / images_at_once(len(labels), model.settings, device))
    total = 0.0
    for part, truth in zip(images.chunk(parts), labels.chunk(parts), strict=True):
        logits = model(normalisation(part.to(device)))
        loss = functional.cross_entropy(logits, truth.to(device), reduction="sum") / len(labels)
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.item()
    return total


def _step(optimiser: torch.optim.Optimizer) -> None:
    try:
        optimiser.step()
    except RuntimeError as error:
        # Torch refuses factors beyond single precision.
        if "overflow" not in str(error):
            raise
        raise NotFiniteError("a step of the optimiser is beyond single precision") from error


def _check_sizes(splits: Splits, model: ModelSettings) -> None:
    taken = (model.height, model.width, model.channels)
    for name in ("training", "validation", "test"):
        found = getattr(splits, name).shape
        if found != taken:
            raise HarnessError(
                f"the {name} images are {found[0]}×{found[1]}×{found[2]}, the model takes "
                f"{taken[0]}×{taken[1]}×{taken[2]}"
            )
    if len(splits.classes) != model.classes:
        raise HarnessError(
            f"the images have {len(splits.classes)} classes, the model {model.classes}"
        )


def check_possible(
    images: int, shape: ModelSettings, settings: TrainingSettings, device: torch.device
) -> None:
    """Raise HarnessError if so many images cannot be trained on with these settings.

    Compares what a training holds at the same time, at least, with the device's memory.
    """
    if (settings.augmentation or 0) >= min(shape.height, shape.width):
        raise HarnessError(
            f"augmentation {settings.augmentation}: must be less than the images' sides, "
            f"{shape.height}×{shape.width} pixels"
        )
    moments = 2 if settings.optimiser == "adamw" else 1
    # Weights, gradients, and the best epoch's weights.
    weights = (3 + moments) * shape.parameters
    # What the backward pass needs: inputs of the linear layers and of the attention.
    kept = 1 + 5 * shape.attention + (1 + 2 * shape.mlp_ratio) * shape.mlp
    tokens = math.prod(shape.grid) * shape.dimension
    together = images_at_once(min(settings.batch, images), shape, device)
    activations = together * tokens * kept
    most = None
    if device.type == "cuda":
        most = torch.cuda.get_device_properties(device).total_memory
    check_fits(FLOAT * (weights + activations), "the model and a batch", SMALLER, most)


def _normalisation(training: Examples) -> Normalisation:
    # Counting the pixels of each value is exact and makes no copy in floats.
    counts = torch.bincount(training.images.flatten(), minlength=256).numpy()
    values = np.arange(256) / 255
    mean = np.average(values, weights=counts)
    deviation = round(math.sqrt(np.average((values - mean) ** 2, weights=counts)), 6)
    if not deviation:
        raise HarnessError("all pixels of the training images are equal: nothing can be learned")
    return Normalisation(round(float(mean), 6), deviation)


def _optimiser(model: OneLayerViT, settings: TrainingSettings) -> torch.optim.Optimizer:
    weights, rate, decay = model.parameters(), settings.learning_rate, settings.weight_decay
    if settings.optimiser == "adamw":
        return torch.optim.AdamW(weights, lr=rate, weight_decay=decay)
    return torch.optim.SGD(weights, lr=rate, momentum=settings.momentum, weight_decay=decay)


def _schedule(settings: TrainingSettings, steps: int) -> Callable[[int], float]:
    peak = settings.learning_rate
    warm_up = max(1, round(WARM_UP * steps))

    def rate(step: int) -> float:
        if settings.optimiser == "sgd":
            return peak
        if step <= warm_up:
            return peak * step / warm_up
        return peak * 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))

    return rate
