import csv
import json
from pathlib import Path

import pytest

from harness_plugins.thesis.vit import checkpoint
from support import PLUGINS
from support.runs import Command, Finished

STRIPES = PLUGINS / "stripes.py"


@pytest.fixture
def trained(harness_command: Command, tmp_path: Path) -> Path:
    """A model of stripes, hardly trained."""
    finished = harness_command(
        "train", "--images", "stripes", "--plugin", STRIPES, "--out", "model.safetensors",
        "--dimension", 8, "--epochs", 1, "--batch", 16,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    return tmp_path / "model.safetensors"


def evaluated(harness_command: Command, *more: object) -> Finished:
    words = ["evaluate", "model.safetensors", "--images", "stripes", "--plugin", STRIPES]
    return harness_command(*words, *more)


def test_it_gives_the_accuracy_that_the_training_recorded(
    harness_command: Command, trained: Path
) -> None:
    found = json.loads(evaluated(harness_command, "--json").stdout)
    record = checkpoint.load(trained).record

    assert found["accuracy"] == record["test_accuracy"]
    assert found["digest"] == record["splits"]["test"]["digest"]
    assert sum(map(sum, found["confusion"])) == found["images"] == 32
    assert list(found["accuracy_by_class"]) == ["a", "b", "c", "d"]


def test_the_table_shows_every_class_and_the_probabilities_asked_for(
    harness_command: Command, trained: Path
) -> None:
    finished = evaluated(harness_command, "--probabilities", "stripes-97")

    assert "accuracy 0." in finished.stdout
    assert all(f"{number} {name}" in finished.stdout for number, name in enumerate("abcd"))
    listed = [line.split() for line in finished.stdout.splitlines()[-4:]]
    shares = [float(share) for share, _ in listed]
    assert {name for _, name in listed} == set("abcd")
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1, abs=1e-3)


def test_one_row_per_image_is_written(
    harness_command: Command, trained: Path, tmp_path: Path
) -> None:
    evaluated(harness_command, "--csv", "predictions.csv")

    with (tmp_path / "predictions.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [f"stripes-{number}" for number in range(96, 128)]
    for row in rows:
        assert max("abcd", key=lambda name: float(row[name])) == row["predicted"]


def test_a_class_called_like_a_column_has_a_column_of_its_own(
    harness_command: Command, tmp_path: Path
) -> None:
    plugin = tmp_path / "named.py"
    names = '["image", "class", "predicted", "d"]'
    plugin.write_text(STRIPES.read_text("utf-8").replace('["a", "b", "c", "d"]', names), "utf-8")
    words = ["--images", "stripes", "--plugin", plugin]
    harness_command("train", *words, "--out", "m", "--dimension", 8, "--epochs", 1, "--batch", 16)

    finished = harness_command("evaluate", "m", *words, "--csv", "rows.csv")

    assert finished.returncode == 0, finished.stderr
    with (tmp_path / "rows.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["image"].startswith("stripes-")
    chances = [f"probability of {name}" for name in ("image", "class", "predicted")]
    assert sum(float(rows[0][name]) for name in (*chances, "d")) == pytest.approx(1)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--images", "noise"], "noise: its images have no labels"),
        (["--probabilities", "stripes-1"], "there is no image 'stripes-1'"),
        (["--csv", "nowhere/file.csv"], "nowhere/file.csv: cannot be written"),
        (["--threads", "0"], "--threads 0: must be at least 1"),
    ],
)
def test_a_mistake_costs_one_clear_line(
    harness_command: Command, trained: Path, words: list[str], line: str
) -> None:
    finished = evaluated(harness_command, *words)

    assert finished.returncode == 1
    assert finished.stdout == ""
    assert finished.stderr.startswith("harness: ")
    assert line in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


def test_an_image_that_cannot_be_read_is_left_out_by_name(
    harness_command: Command, trained: Path
) -> None:
    finished = evaluated(harness_command, "--images", "stripes[broken=97]", "--json")

    found = json.loads(finished.stdout)
    assert (found["images"], found["left_out"]) == (31, {"stripes-97": "broken image"})
    assert finished.stderr == "warning: stripes-97 is left out: broken image\n"


def test_a_model_of_other_classes_is_refused(harness_command: Command, tmp_path: Path) -> None:
    finished = harness_command(
        "evaluate", checkpoint_of_ten_classes(tmp_path), "--images", "stripes", "--plugin", STRIPES
    )

    assert finished.returncode == 1
    assert "its classes are a, b, c, d; the model knows 10 classes" in finished.stderr


def checkpoint_of_ten_classes(folder: Path) -> Path:
    from harness_plugins.thesis.vit.model import ModelSettings, OneLayerViT

    path = folder / "ten.safetensors"
    model = OneLayerViT(ModelSettings(height=8, width=8, dimension=4))
    checkpoint.save(path, checkpoint.Checkpoint(model, checkpoint.Normalisation(0, 1), {}))
    return path


def test_a_shipped_model_is_given_by_its_name(harness_command: Command) -> None:
    finished = harness_command(
        "evaluate", "fashion-mnist-one-head", "--images", "fashion-mnist-sample[count=20]", "--json"
    )

    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["images"] == 20
