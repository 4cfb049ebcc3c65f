import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.vit import checkpoint

Command = Callable[..., subprocess.CompletedProcess[str]]


def small(folder: Path, *more: object) -> list[object]:
    """A training of a second."""
    return [
        "train", "--data", folder, "--out", "model.safetensors",
        "--dimension", 8, "--epochs", 2, "--batch", 16, "--validation", 32, *more,
    ]  # fmt: skip


def test_a_training_leaves_a_checkpoint_with_the_record_of_how_it_was_made(
    harness_command: Command, striped_images: Path, tmp_path: Path
) -> None:
    finished = harness_command(*small(striped_images, "--heads", 2, "--no-mlp", "--seed", 3))

    assert finished.returncode == 0, finished.stderr
    trained = checkpoint.load(tmp_path / "model.safetensors")
    assert (trained.model.settings.heads, trained.model.settings.mlp) == (2, False)
    assert (trained.model.settings.height, trained.model.settings.width) == (8, 8)
    assert trained.record["training"]["seed"] == 3
    assert len(trained.record["history"]) == 2
    assert f"test accuracy {trained.record['test_accuracy']:.4f}" in finished.stdout
    assert not (tmp_path / "model.safetensors.training").exists()


def test_progress_and_the_warning_of_other_data_go_to_stderr(
    harness_command: Command, striped_images: Path
) -> None:
    finished = harness_command(*small(striped_images))

    assert "warning: these files are not the published Fashion-MNIST" in finished.stderr
    assert "epoch 1/2: loss" in finished.stderr
    assert "epoch 2/2: loss" in finished.stderr
    assert len(finished.stdout.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--patch", "3"], "patches of 3 pixels do not tile 8×8 pixels"),
        (["--heads", "3"], "dimension 8 cannot be split over 3 heads"),
        (["--validation", "96"], "96 validation images cannot be held out of 96"),
        (["--data", "nowhere"], "nowhere: no such folder; it should hold"),
        (["--epochs", "0"], "--epochs 0: must be at least 1"),
        (["--learning-rate", "nan"], "--learning-rate nan: must be a positive number"),
        (["--learning-rate", "0"], "--learning-rate 0.0: must be a positive number"),
        (["--weight-decay", "-1"], "--weight-decay -1.0: must be a number of at least 0"),
        (["--seed", "2147483648"], "--seed 2147483648: must be a number in 0 … 2147483647"),
        (["--out", "striped"], "striped: exists already"),
        (["--out", "nowhere/model"], "nowhere: no such folder for --out"),
        (["--batch", "many"], "--batch"),
    ],
)
def test_a_mistake_costs_one_clear_line(
    harness_command: Command, striped_images: Path, arguments: list[str], line: str
) -> None:
    finished = harness_command(*small(striped_images, *arguments))

    assert finished.returncode == 1
    assert finished.stdout == ""
    (error,) = [text for text in finished.stderr.splitlines() if not text.startswith("warning")]
    assert error.startswith("harness: ")
    assert line in error
