import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from harness.cli.main import main
from harness.views.progress import PlainProgress as Progress
from harness_plugins.thesis.commands import train
from harness_plugins.thesis.vit import checkpoint
from harness_plugins.thesis.vit.files import locked
from support import PLUGINS
from support.runs import Command

STRIPES = PLUGINS / "stripes.py"


def small(*more: object) -> list[object]:
    """A training of a second."""
    return [
        "train", "--images", "stripes", "--plugin", STRIPES, "--out", "model.safetensors",
        "--dimension", 8, "--epochs", 2, "--batch", 16, *more,
    ]  # fmt: skip


def flowers(folder: Path, count: int) -> None:
    """Pictures of tf-flowers, so many of each class."""
    for name in ("daisy", "dandelion", "roses", "sunflowers", "tulips"):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            Image.new("L", (4, 4), 20 * number).save(folder / name / f"{number}.png")


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
        (["--images", "stripes[taller=3]"], "stripes-3 is 9×8×1 and stripes-0 8×8×1"),
        (["--images", "noise"], "noise: has no training images with labels"),
        (["--images", "strips"], "strips"),
        (["--epochs", "0"], "train: epochs must be 1 … 1000000, not 0"),
        (["--learning-rate", "nan"], "learning_rate must be above 0, not nan"),
        (["--learning-rate", "0"], "learning_rate must be above 0, not 0.0"),
        (["--crop", "1.5"], "crop must be above 0 and at most 1, not 1.5"),
        (["--colour", "0"], "colour must be above 0 and at most 1, not 0.0"),
        (["--weight-decay", "-1"], "weight_decay must be at least 0, not -1.0"),
        (["--seed", "2147483648"], "seed must be 0 … 2147483647, not 2147483648"),
        (["--size", "wide"], "size wide: expected a number of pixels"),
        (["--size", "0"], "size 0: expected a number of pixels"),
        (["--size", "1000000"], "take at least"),
        (["--dimension", "1000000"], "the model and a batch take at least"),
        (["--dimension", "-8"], "dimension must be at least 1, not -8"),
        (["--heads", "0"], "heads must be at least 1, not 0"),
        (["--learning-rate", "inf"], "learning_rate must be above 0 and finite, not inf"),
        (["--learning-rate", "1e30"], "model.safetensors: the training diverged in epoch 1 of 2"),
        (["--augmentation", "8"], "augmentation 8: must be less than the images' sides"),
        (["--threads", "0"], "--threads 0: must be at least 1"),
        (["--threads", "99999999999"], "--threads 99999999999: must be at most 1024"),
        (["--out", "o" * 300], "cannot be written: File name too long"),
        (["--out", "o" * 240], "cannot be written: File name too long"),
        (["--out", "/proc/model"], "/proc/model: cannot be written: "),
        (["--out", "."], ".: exists already"),
        (["--out", "nowhere/model"], "nowhere: no such folder for --out"),
        (["--batch", "many"], "--batch"),
        (["study.toml"], "cannot be given with a study"),
    ],
)
def test_a_mistake_costs_one_clear_line(
    harness_command: Command, tmp_path: Path, arguments: list[str], line: str
) -> None:
    finished = harness_command(*small(*arguments))

    assert finished.returncode == 1
    assert finished.stdout == ""
    (error,) = (line for line in finished.stderr.splitlines() if not line.startswith("training b"))
    assert error.startswith("harness: ")
    assert line in error
    assert not [*tmp_path.iterdir()]


def test_an_image_that_cannot_be_read_is_named_and_costs_itself_only(
    harness_command: Command, tmp_path: Path
) -> None:
    finished = harness_command(*small("--images", "stripes[broken=3]", "--epochs", 1))

    assert finished.returncode == 0
    assert "warning: stripes-3 is left out: broken image\n" in finished.stderr
    record = checkpoint.load(tmp_path / "model.safetensors").record
    assert record["left_out"] == {"stripes-3": "broken image"}
    assert record["splits"]["training"]["images"] == 63


def test_a_study_that_was_edited_is_refused_with_what_differs_before_anything_is_trained(
    harness_command: Command, tmp_path: Path
) -> None:
    study = tmp_path / "study.toml"
    study.write_text('images = "stripes"\ndimension = 8\nepochs = 1\n')
    words = ["train", "study.toml", "--out", "models", "--plugin", STRIPES]
    assert harness_command(*words).returncode == 0
    study.write_text('images = "stripes"\ndimension = 4\nepochs = 1\nseed = [1, 0]')

    again = harness_command(*words)

    assert again.returncode == 1
    assert again.stderr == (
        "harness: models/1-head_seed-0.safetensors: was trained with dimension 8, not with "
        "dimension 4; move the file away, or choose another --out\n"
    )
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["1-head_seed-0.safetensors"]


@pytest.mark.parametrize(
    "change",
    [
        lambda roses: (roses / "9.png").unlink(),
        lambda roses: (roses / "8.png").write_bytes((roses / "9.png").read_bytes()),
        lambda roses: (roses / "7.png").write_bytes(b"damaged"),
        lambda roses: (roses / "9.png").rename(roses.parent / "tulips" / "10.png"),
    ],
    ids=["removed", "replaced", "damaged", "moved"],
)
def test_a_study_whose_images_changed_is_refused(
    harness_command: Command, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    flowers(tmp_path / "photos", 10)
    study = 'images = "tf-flowers[path=photos]"\npatch = 4\ndimension = 8\nepochs = 1\n'
    (tmp_path / "study.toml").write_text(study)
    words = ["train", "study.toml", "--out", "models"]
    assert harness_command(*words).returncode == 0
    assert harness_command(*words).returncode == 0
    change(tmp_path / "photos" / "roses")
    # Nothing new is trained either.
    (tmp_path / "study.toml").write_text(study + "seed = [1, 0]\n")

    again = harness_command(*words)

    assert again.returncode == 1
    assert "1-head_seed-0.safetensors: was trained with other images than there" in again.stderr
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["1-head_seed-0.safetensors"]


def test_a_training_that_diverges_does_not_stop_the_others_of_its_study(
    harness_command: Command, tmp_path: Path
) -> None:
    (tmp_path / "study.toml").write_text(
        'images = "stripes"\ndimension = 8\nepochs = 1\nlearning_rate = [1e30, 0.001]'
    )
    finished = harness_command("train", "study.toml", "--out", "models", "--plugin", STRIPES)

    assert finished.returncode == 1
    assert (
        "harness: 1 of 2 trainings diverged: 1-head_learning-rate-1e-30_seed-0" in finished.stderr
    )
    trained = [path.stem for path in (tmp_path / "models").iterdir()]
    assert trained == ["1-head_seed-0"]


def test_a_training_that_cannot_be_is_found_before_the_first_of_its_study_begins(
    harness_command: Command, tmp_path: Path
) -> None:
    (tmp_path / "study.toml").write_text('images = "stripes"\ndimension = 8\nheads = [1, 3]')

    finished = harness_command("train", "study.toml", "--out", "models", "--plugin", STRIPES)

    assert finished.returncode == 1
    assert finished.stderr == (
        "harness: dimension 8 cannot be split over 3 heads; take a multiple of 3\n"
    )
    assert not [*(tmp_path / "models").iterdir()]


def test_two_trainings_of_one_file_are_refused(harness_command: Command, tmp_path: Path) -> None:
    with locked(tmp_path / "model.safetensors"):
        second = harness_command(*small())

    assert second.returncode == 1
    assert second.stderr == ("harness: model.safetensors: another process is training this model\n")


def test_an_empty_split_is_named_with_the_counts(harness_command: Command, tmp_path: Path) -> None:
    flowers(tmp_path / "flowers", 4)

    finished = harness_command("train", "--images", "tf-flowers[path=flowers]", "--out", "m")

    assert finished.returncode == 1
    assert finished.stderr == (
        "harness: tf-flowers[path=flowers]: its test split is empty: 15 train, "
        "5 validation, 0 test images\n"
    )


def test_what_an_interruption_leaves_is_said_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    for epoch, said in (
        (1, "no epoch is complete, so the same command starts anew"),
        (2, "the same command resumes after the last complete epoch"),
    ):
        with monkeypatch.context() as patch:
            # Batches of the training alone count, not images that are read before.
            patch.setattr(Progress, "track", lambda _, phase, items: iter(items))
            patch.setattr(Progress, "advance", _interrupting(4 * epoch))
            assert main(list(map(str, small("--epochs", 3)))) == 130
        assert capsys.readouterr().err.endswith(f"harness: interrupted; {said}\n")


def _interrupting(steps: int) -> Callable[[Progress], None]:
    """Counts steps, and interrupts at the last as Ctrl-C does."""
    left = iter(range(steps - 1))

    def advance(progress: Progress) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt

    return advance


def test_on_cuda_products_have_the_workspace_that_deterministic_ones_need(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    # Gone after the test, whatever it is set to.
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    try:
        assert train._device("auto").type == "cuda"
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    finally:
        torch.use_deterministic_algorithms(False)


def test_cuda_is_refused_where_there_is_none(harness_command: Command) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    finished = harness_command(*small("--device", "cuda"))

    assert finished.returncode == 1
    assert "torch finds no CUDA device here" in finished.stderr
