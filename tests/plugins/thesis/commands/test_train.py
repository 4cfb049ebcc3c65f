import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from harness_plugins.thesis.vit import checkpoint
from support import PLUGINS
from support.runs import Command

STRIPES = PLUGINS / "stripes.py"


def small(*more: object) -> list[object]:
    """A training of a second."""
    return [
        "train", "--images", "stripes", "--plugin", STRIPES, "--out", "model.safetensors",
        "--dimension", 8, "--epochs", 2, "--batch", 16, *more,
    ]  # fmt: skip


def test_a_training_leaves_a_checkpoint_with_the_record_of_how_it_was_made(
    harness_command: Command, tmp_path: Path
) -> None:
    finished = harness_command(*small("--heads", 2, "--no-mlp", "--seed", 3))

    assert finished.returncode == 0, finished.stderr
    trained = checkpoint.load(tmp_path / "model.safetensors")
    assert (trained.model.settings.heads, trained.model.settings.mlp) == (2, False)
    assert (trained.model.settings.height, trained.model.settings.width) == (8, 8)
    assert trained.model.settings.classes == 4
    assert trained.record["training"]["seed"] == 3
    assert len(trained.record["history"]) == 2
    assert f"test accuracy {trained.record['test_accuracy']:.4f}" in finished.stdout
    assert not (tmp_path / "model.safetensors.training").exists()


def test_progress_goes_to_stderr(harness_command: Command) -> None:
    finished = harness_command(*small())

    assert "epoch 1/2: loss" in finished.stderr
    assert "epoch 2/2: loss" in finished.stderr
    assert len(finished.stdout.splitlines()) == 1


def test_images_are_resized_to_the_given_size(harness_command: Command, tmp_path: Path) -> None:
    finished = harness_command(*small("--size", "4x6", "--channels", 3))

    assert finished.returncode == 0, finished.stderr
    settings = checkpoint.load(tmp_path / "model.safetensors").model.settings
    assert (settings.height, settings.width, settings.channels) == (4, 6, 3)


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_weights_of_an_uninterrupted_one(
    harness_command: Command, tmp_path: Path
) -> None:
    words = list(map(str, small("--epochs", 200)))
    process = subprocess.Popen(
        [sys.executable, "-m", "harness", *words],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    state = tmp_path / "model.safetensors.training"
    while not state.exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "model.safetensors").exists()

    resumed = harness_command(*words)
    words[words.index("model.safetensors")] = "whole.safetensors"
    harness_command(*words)

    assert "resuming the training stored in" in resumed.stderr
    one, two = (
        checkpoint.load(tmp_path / f"{name}.safetensors").model.state_dict()
        for name in ("model", "whole")
    )
    assert all(torch.equal(one[name], two[name]) for name in two)


def test_a_study_trains_every_combination_and_only_what_is_missing(
    harness_command: Command, tmp_path: Path
) -> None:
    (tmp_path / "study.toml").write_text(
        'images = "stripes"\ndimension = 8\nepochs = 1\nbatch = 16\nheads = [1, 2]\nseed = [0, 1]'
    )
    words = ["train", "study.toml", "--out", "models", "--plugin", STRIPES]

    finished = harness_command(*words)

    assert finished.returncode == 0, finished.stderr
    names = [f"{heads}_seed-{seed}" for heads in ("1-head", "2-heads") for seed in (0, 1)]
    assert sorted(path.stem for path in (tmp_path / "models").iterdir()) == sorted(names)
    assert len(finished.stdout.splitlines()) == 4
    (tmp_path / "models" / "2-heads_seed-1.safetensors").unlink()
    again = harness_command(*words)
    assert again.stdout == finished.stdout
    assert again.stderr.count("epoch 1/1") == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--patch", "3"], "patches of 3 pixels do not tile 8×8 pixels"),
        (["--heads", "3"], "dimension 8 cannot be split over 3 heads"),
        (["--images", "stripes[broken=3]"], "stripes-3: broken image"),
        (["--images", "stripes[taller=3]"], "stripes-3 is 9×8×1 and stripes-0 8×8×1"),
        (["--images", "noise"], "noise: has no training images with labels"),
        (["--images", "strips"], "strips"),
        (["--epochs", "0"], "train: epochs must be at least 1, not 0"),
        (["--learning-rate", "nan"], "learning_rate must be above 0, not nan"),
        (["--learning-rate", "0"], "learning_rate must be above 0, not 0.0"),
        (["--weight-decay", "-1"], "weight_decay must be at least 0, not -1.0"),
        (["--seed", "2147483648"], "seed must be 0 … 2147483647, not 2147483648"),
        (["--size", "wide"], "size wide: expected a number of pixels"),
        (["--threads", "0"], "--threads 0: must be at least 1"),
        (["--out", "."], ".: exists already"),
        (["--out", "nowhere/model"], "nowhere: no such folder for --out"),
        (["--batch", "many"], "--batch"),
        (["study.toml"], "cannot be given with a study"),
    ],
)
def test_a_mistake_costs_one_clear_line(
    harness_command: Command, arguments: list[str], line: str
) -> None:
    finished = harness_command(*small(*arguments))

    assert finished.returncode == 1
    assert finished.stdout == ""
    (error,) = finished.stderr.splitlines()
    assert error.startswith("harness: ")
    assert line in error


def test_cuda_is_refused_where_there_is_none(harness_command: Command) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    finished = harness_command(*small("--device", "cuda"))

    assert finished.returncode == 1
    assert "torch finds no CUDA device here" in finished.stderr
