import dataclasses
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import harness
from harness.data import fashion_mnist
from harness.data.fashion_mnist import LabelledImages
from harness.vit.checkpoint import Checkpoint
from harness.vit.model import ModelSettings
from harness.vit.training import Progress, TrainingSettings, train

MODEL = ModelSettings(height=8, width=8, patch=2, dimension=8, heads=2)
SETTINGS = TrainingSettings(epochs=3, batch=16, learning_rate=0.02, validation=32, seed=5)
# Trains, and comes to rest in the middle of the second epoch.
RESTING = """
import sys, time
from pathlib import Path
import torch
from harness.data import fashion_mnist
from harness.vit.model import ModelSettings
from harness.vit.training import TrainingSettings, train

def report(progress):
    if (progress.epoch, progress.batch) == (2, 2):
        print("resting", flush=True)
        time.sleep(600)

torch.set_num_threads(1)
folder, state = map(Path, sys.argv[1:])
splits = [fashion_mnist.load(folder, split) for split in ("train", "test")]
train(*splits, MODEL, SETTINGS, state, report)
"""


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def state_path(tmp_path: Path) -> Path:
    return tmp_path / "model.training"


@pytest.fixture
def splits(striped_images: Path) -> tuple[LabelledImages, LabelledImages]:
    return fashion_mnist.load(striped_images, "train"), fashion_mnist.load(striped_images, "test")


def trained(
    splits: tuple[LabelledImages, LabelledImages],
    state_path: Path,
    reported: list[Progress] | None = None,
    **changes: Any,
) -> Checkpoint:
    reported = [] if reported is None else reported
    settings = dataclasses.replace(SETTINGS, **changes)
    return train(*splits, MODEL, settings, state_path, reported.append)


def same_weights(one: Checkpoint, other: Checkpoint) -> bool:
    left, right = one.model.state_dict(), other.model.state_dict()
    return left.keys() == right.keys() and all(
        torch.equal(left[name], right[name]) for name in left
    )


def timeless(checkpoint: Checkpoint) -> dict[str, Any]:
    history = [{**epoch, "seconds": 0} for epoch in checkpoint.record["history"]]
    return {**checkpoint.record, "history": history}


def test_it_learns_what_can_be_learned(
    splits: tuple[LabelledImages, LabelledImages], state_path: Path
) -> None:
    record = trained(splits, state_path, epochs=5).record

    assert record["test_accuracy"] > 0.6
    assert record["history"][-1]["loss"] < record["history"][0]["loss"]


def test_the_same_settings_give_the_same_weights_and_another_seed_others(
    splits: tuple[LabelledImages, LabelledImages], tmp_path: Path
) -> None:
    one, two = (trained(splits, tmp_path / name) for name in ("one", "two"))
    other = trained(splits, tmp_path / "other", seed=6)

    assert same_weights(one, two)
    assert not same_weights(one, other)


def test_a_training_that_was_killed_goes_on_to_the_same_weights(
    splits: tuple[LabelledImages, LabelledImages], striped_images: Path, state_path: Path
) -> None:
    script = RESTING.replace("MODEL", repr(MODEL)).replace("SETTINGS", repr(SETTINGS))
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(striped_images), str(state_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process, process.stdout:
        said = process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    assert said == "resting\n"
    assert state_path.exists()
    reported: list[Progress] = []

    resumed = trained(splits, state_path, reported)

    assert {progress.epoch for progress in reported} == {2, 3}
    uninterrupted = trained(splits, state_path.with_name("other.training"))
    assert same_weights(resumed, uninterrupted)
    assert timeless(resumed) == timeless(uninterrupted)


def test_a_training_stopped_after_its_last_epoch_has_nothing_left_to_do(
    splits: tuple[LabelledImages, LabelledImages], state_path: Path
) -> None:
    first = trained(splits, state_path)
    reported: list[Progress] = []

    again = trained(splits, state_path, reported)

    assert reported == []
    assert same_weights(first, again)


@pytest.mark.parametrize("changes", [{"seed": 6}, {"epochs": 4}, {"learning_rate": 0.01}])
def test_going_on_with_other_settings_is_refused(
    splits: tuple[LabelledImages, LabelledImages], state_path: Path, changes: dict[str, Any]
) -> None:
    trained(splits, state_path, epochs=1)

    with pytest.raises(harness.HarnessError, match="an interrupted training with other settings"):
        trained(splits, state_path, **{"epochs": 1, **changes})


def test_going_on_with_other_data_is_refused(
    splits: tuple[LabelledImages, LabelledImages], state_path: Path
) -> None:
    trained(splits, state_path, epochs=1)
    changed = dataclasses.replace(splits[0], checksums={"train-images-idx3-ubyte": "0"})

    with pytest.raises(harness.HarnessError, match="an interrupted training with other settings"):
        trained((changed, splits[1]), state_path, epochs=1)


def test_a_state_that_is_none_is_refused(
    splits: tuple[LabelledImages, LabelledImages], state_path: Path
) -> None:
    state_path.write_bytes(b"something else")

    with pytest.raises(harness.HarnessError, match="not a checkpoint that `harness train` wrote"):
        trained(splits, state_path)


def test_the_weights_of_the_best_validation_epoch_are_kept(
    splits: tuple[LabelledImages, LabelledImages], tmp_path: Path
) -> None:
    ends_worse = []
    # Steps this large make the accuracy rise and fall; where, is the platform's to say.
    for rate in (0.5, 1.0, 3.0):
        whole = trained(splits, tmp_path / f"{rate}", epochs=6, learning_rate=rate)
        reached = [epoch["validation_accuracy"] for epoch in whole.record["history"]]

        assert whole.record["best_epoch"] == int(np.argmax(reached)) + 1
        assert whole.record["validation_accuracy"] == max(reached)
        assert _validation_accuracy(whole, splits[0]) == max(reached)
        ends_worse.append(max(reached) > reached[-1])
    assert any(ends_worse)


def _validation_accuracy(checkpoint: Checkpoint, data: LabelledImages) -> float:
    """Accuracy on the images that the documentation says are held out."""
    order = torch.randperm(len(data.labels), generator=torch.Generator().manual_seed(SETTINGS.seed))
    held_out = order[-SETTINGS.validation :].numpy()
    images = torch.from_numpy(data.images[held_out]).unsqueeze(1)
    with torch.inference_mode():
        guessed = checkpoint.model(checkpoint.normalisation(images)).argmax(1).numpy()
    return float((guessed == data.labels[held_out]).mean())


def test_every_batch_and_the_end_of_every_epoch_are_reported(
    splits: tuple[LabelledImages, LabelledImages], state_path: Path
) -> None:
    reported: list[Progress] = []
    trained(splits, state_path, reported, epochs=2)

    # 96 − 32 images in batches of 16.
    assert [(one.epoch, one.batch, one.batches) for one in reported] == [
        (epoch, batch, 4) for epoch in (1, 2) for batch in (1, 2, 3, 4, 4)
    ]
    assert [one.validation_accuracy is None for one in reported] == 2 * [*4 * [True], False]


def test_images_of_another_size_are_refused(
    splits: tuple[LabelledImages, LabelledImages], state_path: Path
) -> None:
    training, test = splits
    cropped = dataclasses.replace(test, images=test.images[:, :6])

    with pytest.raises(harness.HarnessError, match="the test images are 6×8, the model takes 8×8"):
        trained((training, cropped), state_path)
    cropped = dataclasses.replace(training, images=training.images[:, :, :4])
    with pytest.raises(harness.HarnessError, match="the training images are 8×4"):
        trained((cropped, test), state_path)


@pytest.mark.parametrize("validation", [0, 96, 1000])
def test_a_validation_set_that_leaves_nothing_is_refused(
    splits: tuple[LabelledImages, LabelledImages], state_path: Path, validation: int
) -> None:
    with pytest.raises(harness.HarnessError, match=f"{validation} validation images cannot be"):
        trained(splits, state_path, validation=validation)
