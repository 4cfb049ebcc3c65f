import json
import re
from pathlib import Path

import pandas
import pytest
import torch
from safetensors.torch import save_file

from support.runs import Command


def test_all_exhibits_are_listed(harness_command: Command) -> None:
    finished = harness_command("reproduce", "--list")

    assert finished.returncode == 0
    assert "table-4.3" in finished.stdout


def test_exhibits_that_need_no_run_are_made_at_once(
    harness_command: Command, tmp_path: Path
) -> None:
    finished = harness_command("reproduce", "--only", "figure-4.1,table-4.1", "--out", "out")

    assert finished.returncode == 0, finished.stderr
    assert "figure-4.1: Confusion matrix" in finished.stdout
    accuracies = pandas.read_csv(tmp_path / "out" / "tables" / "table-4.1.csv", dtype=str)
    assert "90.08" in set(accuracies["thesis"])
    matrix = pandas.read_csv(tmp_path / "out" / "tables" / "figure-4.1.csv")
    assert matrix.drop(columns="true class").to_numpy().sum() == 20
    assert (tmp_path / "out" / "figures" / "figure-4.1.png").exists()
    assert not (tmp_path / "out" / "runs").exists()


def test_figures_are_drawn_for_a_column_in_the_formats_asked_for(
    harness_command: Command, tmp_path: Path
) -> None:
    options = ("--only", "figure-4.1", "--width", "column", "--format", "pdf")
    finished = harness_command("reproduce", *options, "--out", "out")

    assert finished.returncode == 0, finished.stderr
    (figure,) = (tmp_path / "out" / "figures").iterdir()
    assert figure.name == "figure-4.1.pdf"
    width = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+)", figure.read_bytes())
    assert width is not None
    assert float(width[1]) < 3.5 * 72


@pytest.mark.parametrize(
    ("images", "data"),
    [("flowers-sample[count=5]", "flowers"), ("fashion-mnist-sample", "fashion-mnist")],
)
def test_models_are_those_trained_on_the_images_unless_others_are_given(
    harness_command: Command, tmp_path: Path, images: str, data: str
) -> None:
    arguments = ("--only", "table-4.1", "--images", images, "--out", "out")
    finished = harness_command("reproduce", *arguments)

    assert finished.returncode == 0, finished.stderr
    provenance = json.loads((tmp_path / "out" / "provenance.json").read_text("utf-8"))
    assert list(provenance["checkpoints"]) == [f"{data}-one-head", f"{data}-twelve-heads"]


@pytest.mark.slow
def test_every_exhibit_that_needs_no_more_data_is_made(
    harness_command: Command, tmp_path: Path
) -> None:
    images = "fashion-mnist-sample"
    finished = harness_command("reproduce", "--images", images, "--clustered", 2, "--out", "out")

    assert finished.returncode == 0, finished.stderr
    assert "failed" not in finished.stderr
    chosen = pandas.read_csv(tmp_path / "out" / "tables" / "table-4.3-images.csv")
    profiles = pandas.read_csv(tmp_path / "out" / "tables" / "figure-A.1.csv")
    one = chosen.iloc[0]
    at = profiles[
        (profiles["clusterer"] == one["method"])
        & (profiles["role"] == "observed")
        & (profiles["level"] == one["threshold"])
    ]
    assert at["modularity"].iloc[0] == pytest.approx(one["modularity"])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--only", "table-9"], "there is no exhibit 'table-9'"),
        (["--models", "nowhere"], "--models nowhere: no such folder"),
        (["--images", "folder[path=nowhere]"], "nowhere: no such folder"),
        (["--images", "nothing"], "nothing"),
        (["--clustered", "0"], "--clustered 0: must be at least 1"),
        (["-j", "0"], "--workers 0: must be at least 1"),
        (["--checkpoint", "nowhere"], "nowhere: no such checkpoint"),
        (["--many-heads", "nan.safetensors"], "nan.safetensors: its weights are not finite"),
        (["--models", "."], "nan.safetensors: its weights are not finite"),
        (["--out", "nan.safetensors"], "nan.safetensors: cannot be a folder: File exists"),
    ],
)
def test_a_mistake_costs_one_clear_line(
    harness_command: Command, tmp_path: Path, words: list[str], line: str
) -> None:
    save_file({"weight": torch.tensor(torch.nan)}, tmp_path / "nan.safetensors", {"harness": "{}"})
    finished = harness_command("reproduce", "--out", "out", *words)

    assert finished.returncode == 1
    assert finished.stdout == ""
    (error,) = finished.stderr.splitlines()
    assert error.startswith("harness: ")
    assert line in error
