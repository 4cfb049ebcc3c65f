import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import harness
from harness_plugins.thesis.vit import memory
from harness_plugins.thesis.vit.checkpoint import Checkpoint
from harness_plugins.thesis.vit.examples import Examples, gather
from harness_plugins.thesis.vit.model import ModelSettings, OneLayerViT
from harness_plugins.thesis.vit.splits import Splits
from harness_plugins.thesis.vit.training import (
    RECIPES,
    DivergedError,
    TrainingSettings,
    TrainingStep,
    check_possible,
    train,
)
from support import PLUGINS

MODEL = ModelSettings(height=8, width=8, patch=2, dimension=8, heads=2, classes=4)
SETTINGS = TrainingSettings(epochs=3, batch=16, learning_rate=0.02, seed=5)
STRIPES = PLUGINS / "stripes.py"
# Trains, and comes to rest in the middle of the second epoch.
RESTING = """
import sys, time
from pathlib import Path
import torch
import harness
from harness_plugins.thesis.vit.examples import gather
from harness_plugins.thesis.vit.model import ModelSettings
from harness_plugins.thesis.vit.splits import Splits
from harness_plugins.thesis.vit.training import TrainingSettings, train

def report(progress):
    if (progress.epoch, progress.batch) == (2, 2):
        print("resting", flush=True)
        time.sleep(600)

plugin, state = map(Path, sys.argv[1:])
parts = [
    gather(harness.make("image set", f"stripes[split={split}]", [plugin]), "abcd")
    for split in ("train", "validation", "test")
]
train(Splits(*parts, "abcd"), MODEL, SETTINGS, state, report)
"""


@pytest.fixture
def state_path(tmp_path: Path) -> Path:
    return tmp_path / "model.training"


@pytest.fixture
def splits() -> Splits:
    def part(split: str) -> Examples:
        return gather(harness.make("image set", f"stripes[split={split}]", [STRIPES]), "abcd")

    return Splits(part("train"), part("validation"), part("test"), "abcd")


def trained(
    splits: Splits,
    state_path: Path,
    reported: list[TrainingStep] | None = None,
    **changes: Any,
) -> Checkpoint:
    reported = [] if reported is None else reported
    settings = dataclasses.replace(SETTINGS, **changes)
    return train(splits, MODEL, settings, state_path, reported.append)


def same_weights(one: Checkpoint, other: Checkpoint) -> bool:
    left, right = one.model.state_dict(), other.model.state_dict()
    return left.keys() == right.keys() and all(
        torch.equal(left[name], right[name]) for name in left
    )


def timeless(checkpoint: Checkpoint) -> dict[str, Any]:
    history = [{**epoch, "seconds": 0} for epoch in checkpoint.record["history"]]
    return {**checkpoint.record, "history": history}


def test_it_learns_what_can_be_learned(splits: Splits, state_path: Path) -> None:
    record = trained(splits, state_path, epochs=5).record

    assert record["test_accuracy"] > 0.6
    assert record["history"][-1]["loss"] < record["history"][0]["loss"]


def test_the_same_settings_give_the_same_weights_and_another_seed_others(
    splits: Splits, tmp_path: Path
) -> None:
    one, two = (trained(splits, tmp_path / name) for name in ("one", "two"))
    other = trained(splits, tmp_path / "other", seed=6)

    assert same_weights(one, two)
    assert not same_weights(one, other)


def test_a_training_that_was_killed_goes_on_to_the_same_weights(
    splits: Splits, state_path: Path
) -> None:
    script = RESTING.replace("MODEL", repr(MODEL)).replace("SETTINGS", repr(SETTINGS))
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(STRIPES), str(state_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process, process.stdout:
        said = process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    assert said == "resting\n"
    assert state_path.exists()
    reported: list[TrainingStep] = []

    resumed = trained(splits, state_path, reported)

    assert {progress.epoch for progress in reported} == {2, 3}
    uninterrupted = trained(splits, state_path.with_name("other.training"))
    assert same_weights(resumed, uninterrupted)
    assert timeless(resumed) == timeless(uninterrupted)


def test_a_training_stopped_after_its_last_epoch_has_nothing_left_to_do(
    splits: Splits, state_path: Path
) -> None:
    first = trained(splits, state_path)
    reported: list[TrainingStep] = []

    again = trained(splits, state_path, reported)

    assert reported == []
    assert same_weights(first, again)


@pytest.mark.parametrize("changes", [{"seed": 6}, {"epochs": 4}, {"learning_rate": 0.01}])
def test_going_on_with_other_settings_is_refused(
    splits: Splits, state_path: Path, changes: dict[str, Any]
) -> None:
    trained(splits, state_path, epochs=1)

    with pytest.raises(harness.HarnessError, match="an interrupted training with other settings"):
        trained(splits, state_path, **{"epochs": 1, **changes})


def test_going_on_with_other_data_is_refused(splits: Splits, state_path: Path) -> None:
    trained(splits, state_path, epochs=1)
    changed = dataclasses.replace(splits.training, digest="0")

    with pytest.raises(harness.HarnessError, match="an interrupted training with other settings"):
        trained(dataclasses.replace(splits, training=changed), state_path, epochs=1)


def test_a_file_that_is_not_a_training_state_is_refused(splits: Splits, state_path: Path) -> None:
    state_path.write_bytes(b"something else")

    with pytest.raises(harness.HarnessError, match="not a checkpoint that `harness train` wrote"):
        trained(splits, state_path)


@pytest.mark.parametrize("offset", [0, 3])
def test_the_weights_of_the_best_validation_epoch_are_stored(
    splits: Splits, state_path: Path, offset: int
) -> None:
    # With the labels of other classes, accuracy falls while the model learns the right ones.
    labels = (splits.training.labels + offset) % 4
    validation = dataclasses.replace(splits.training, labels=labels)

    changed = dataclasses.replace(splits, validation=validation)
    whole = trained(changed, state_path, epochs=6, learning_rate=0.003)

    reached = [epoch["validation_accuracy"] for epoch in whole.record["history"]]
    assert (max(reached) > reached[-1]) == (offset > 0)
    assert whole.record["best_epoch"] == int(np.argmax(reached)) + 1
    assert whole.record["validation_accuracy"] == max(reached)
    assert _accuracy(whole, validation) == max(reached)


def _accuracy(checkpoint: Checkpoint, examples: Examples) -> float:
    with torch.inference_mode():
        logits = checkpoint.model(checkpoint.normalisation(examples.images))
    return float((logits.argmax(1) == examples.labels).float().mean())


def test_every_batch_and_the_end_of_every_epoch_are_reported(
    splits: Splits, state_path: Path
) -> None:
    reported: list[TrainingStep] = []
    trained(splits, state_path, reported, epochs=2)

    # 64 images in batches of 16.
    assert [(one.epoch, one.batch, one.batches) for one in reported] == [
        (epoch, batch, 4) for epoch in (1, 2) for batch in (1, 2, 3, 4, 4)
    ]
    assert [one.validation_accuracy is None for one in reported] == 2 * [*4 * [True], False]


def test_the_record_holds_the_splits_and_the_accuracy_on_the_test_images(
    splits: Splits, state_path: Path
) -> None:
    whole = trained(splits, state_path)

    assert whole.record["classes"] == ["a", "b", "c", "d"]
    assert whole.record["splits"]["validation"] == {
        "digest": splits.validation.digest,
        "images": 32,
    }
    assert whole.record["test_accuracy"] == _accuracy(whole, splits.test)


def test_pixels_are_normalised_by_the_training_images(splits: Splits, state_path: Path) -> None:
    normalisation = trained(splits, state_path, epochs=1).normalisation
    pixels = splits.training.images.numpy() / 255

    assert normalisation.mean == pytest.approx(pixels.mean(), abs=1e-5)
    assert normalisation.deviation == pytest.approx(pixels.std(), abs=1e-5)


def test_sgd_takes_the_steps_of_torchs_own_loop(splits: Splits, state_path: Path) -> None:
    how = {"optimiser": "sgd", "epochs": 2, "momentum": 0.8, "weight_decay": 0.01}
    found = trained(splits, state_path, **how)

    expected = _by_hand(splits, dataclasses.replace(SETTINGS, **how), found.normalisation)
    best = found.record["best_epoch"]
    for name, value in found.model.state_dict().items():
        assert torch.allclose(value, expected[best - 1][name], atol=1e-6)


def _by_hand(splits: Splits, how: TrainingSettings, normalisation: Any) -> list[dict[str, Any]]:
    """The weights after each epoch of a plain loop."""
    torch.manual_seed(how.seed)
    model = OneLayerViT(MODEL)
    optimiser = torch.optim.SGD(
        model.parameters(), lr=how.learning_rate, momentum=how.momentum,
        weight_decay=how.weight_decay,
    )  # fmt: skip
    weights = []
    for epoch in range(1, how.epochs + 1):
        generator = torch.Generator().manual_seed(how.seed + epoch)
        order = torch.randperm(len(splits.training), generator=generator)
        for chosen in order.split(how.batch):
            logits = model(normalisation(splits.training.images[chosen]))
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(logits, splits.training.labels[chosen]).backward()
            optimiser.step()
        weights.append({name: value.clone() for name, value in model.state_dict().items()})
    return weights


def test_a_batch_in_parts_takes_the_steps_of_the_whole_batch(
    splits: Splits, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # AdamW would enlarge the rounding of gradients that are 0, those of the keys' biases.
    how = {"optimiser": "sgd", "batch": 24}
    whole = trained(splits, tmp_path / "whole", **how)
    # Five images of 16 tokens with 32 values each, of four bytes.
    monkeypatch.setattr(memory, "LARGEST_BLOCK", 5 * 16 * 32 * 4)
    assert memory.images_at_once(24, MODEL, torch.device("cpu")) == 5

    parts = trained(splits, tmp_path / "parts", **how)

    for name, value in parts.model.state_dict().items():
        assert torch.allclose(value, whole.model.state_dict()[name], atol=1e-6), name
    losses = [[epoch["loss"] for epoch in one.record["history"]] for one in (whole, parts)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_the_thesis_recipe_is_the_thesis() -> None:
    thesis = RECIPES["thesis"]

    assert (thesis.optimiser, thesis.learning_rate, thesis.momentum) == ("sgd", 3e-4, 0.9)
    assert (thesis.batch, thesis.epochs) == (128, 512)


@pytest.mark.parametrize("how", [{"augmentation": 1}, {"crop": 0.5}, {"colour": 0.3}])
def test_augmented_training_goes_on_to_the_same_weights(
    splits: Splits, state_path: Path, how: dict[str, float]
) -> None:
    other = state_path.with_name("other.training")
    one, two = (trained(splits, path, **how) for path in (state_path, other))
    plain = trained(splits, state_path.with_name("plain.training"))

    assert same_weights(one, two)
    assert not same_weights(one, plain)


def test_a_training_that_diverges_keeps_the_best_weights_before(
    splits: Splits, state_path: Path
) -> None:
    # Every step of weight decay multiplies the weights by -9,999.
    how = {"optimiser": "sgd", "learning_rate": 1.0, "momentum": 0.0, "weight_decay": 1e4}

    with pytest.raises(DivergedError, match=r"diverged in epoch [2-9] of 9: ") as error:
        trained(splits, state_path, epochs=9, batch=64, **how)

    sound = error.value.sound
    assert sound is not None
    reached = [epoch["validation_accuracy"] for epoch in sound.record["history"]]
    assert sound.record["best_epoch"] == int(np.argmax(reached)) + 1
    assert max(reached) == _accuracy(sound, splits.validation)
    assert all(value.isfinite().all() for value in sound.model.state_dict().values())


@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
@pytest.mark.parametrize("rate", [1e4, 1e30, 1e39, 1e300])
def test_weights_that_are_not_finite_are_never_returned(
    splits: Splits, state_path: Path, optimiser: str, rate: float
) -> None:
    with pytest.raises(DivergedError, match=r"diverged in epoch .*; try a smaller --learning-rate"):
        trained(splits, state_path, optimiser=optimiser, learning_rate=rate, epochs=9)


@pytest.mark.parametrize("batch", [64, 65, 10**30])
def test_a_batch_larger_than_the_set_is_the_whole_set(
    splits: Splits, tmp_path: Path, batch: int
) -> None:
    whole = trained(splits, tmp_path / "whole", batch=64, epochs=1)

    assert same_weights(whole, trained(splits, tmp_path / "other", batch=batch, epochs=1))


@pytest.mark.parametrize(
    ("shape", "how", "line"),
    [
        ({"dimension": 1_000_000}, {}, "the model and a batch take at least .* of memory"),
        ({"dimension": 10**40, "heads": 10**39}, {}, "the model and a batch take at least"),
        ({"height": 10**9, "width": 10**9}, {}, "the model and a batch take at least"),
        ({}, {"augmentation": 8}, "augmentation 8: must be less than the images' sides, 8×8"),
    ],
)
def test_what_cannot_be_trained_is_refused_without_trying(
    shape: dict[str, Any], how: dict[str, Any], line: str
) -> None:
    model, settings = dataclasses.replace(MODEL, **shape), dataclasses.replace(SETTINGS, **how)

    with pytest.raises(harness.HarnessError, match=line):
        check_possible(64, model, settings, torch.device("cpu"))


def test_images_of_another_size_are_refused(splits: Splits, state_path: Path) -> None:
    cropped = dataclasses.replace(splits.test, images=splits.test.images[:, :, :6])

    with pytest.raises(harness.HarnessError, match="test images are 6×8×1, the model takes 8×8×1"):
        trained(dataclasses.replace(splits, test=cropped), state_path)


def test_another_number_of_classes_is_refused(splits: Splits, state_path: Path) -> None:
    with pytest.raises(harness.HarnessError, match="the images have 3 classes, the model 4"):
        trained(dataclasses.replace(splits, classes="abc"), state_path)


def test_images_of_one_pixel_value_are_refused(splits: Splits, state_path: Path) -> None:
    grey = dataclasses.replace(splits.training, images=splits.training.images * 0)

    with pytest.raises(harness.HarnessError, match="nothing can be learned"):
        trained(dataclasses.replace(splits, training=grey), state_path)
