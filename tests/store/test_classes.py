"""The class of every image in a run's tables."""

from pathlib import Path

import numpy as np
import pandas
import pytest
from PIL import Image

import harness
from harness.analysis.masks import BrightnessThreshold
from support import PLUGINS
from support.runs import Command, small_run

NAMES = {"cat/a.png": "cat", "dog/b.png": "dog"}


def labelled_run(folder: Path, more: str = ",labels=true") -> harness.Run:
    """A run on two images of two classes, and a control of each."""
    for seed, name in enumerate(NAMES):
        (folder / "images" / name).parent.mkdir(parents=True)
        pixels = np.random.default_rng(seed).integers(0, 255, (8, 8), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "images" / name)
    return small_run(
        folder / "run",
        images=f"folder[path={folder / 'images'}{more}]",
        extractors="deep",
        controls="permuted-rows",
        selectors="fixed[level=0.5]",
        perturbations="seeds",
        plugins=[PLUGINS / "deep.py"],
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    run = labelled_run(tmp_path_factory.mktemp("classes"))
    return run.score(["coverage-of-weight"], isolation="none", progress=False)


@pytest.mark.parametrize(
    "table", ["images", "cells", "points", "selections", "tests", "stabilities", "scores"]
)
def test_every_frame_has_the_class_of_each_image(run: harness.Run, table: str) -> None:
    frame = getattr(run, table)()

    assert len(frame)
    assert (frame["class_name"] == frame["image"].map(NAMES)).all()


def test_the_list_of_images_shows_their_classes(run: harness.Run, harness_command: Command) -> None:
    finished = harness_command("show", run.folder)

    (line,) = [line for line in finished.stdout.splitlines() if line.startswith("cat/a.png")]
    assert line.split()[1] == "cat"


def test_an_image_is_shown_with_its_class_when_its_file_is_gone(
    tmp_path: Path, harness_command: Command
) -> None:
    run = labelled_run(tmp_path)
    (tmp_path / "images" / "dog" / "b.png").unlink()

    finished = harness_command("show", run.folder, "dog/b.png", "--head", "0", "--layer", "0")

    assert "label 1 (dog)" in finished.stdout


def test_agreement_with_objects_has_the_class_of_each_image(
    run: harness.Run, harness_command: Command, tmp_path: Path
) -> None:
    finished = harness_command(
        "foreground", run.folder, "--above", "100", "--csv", tmp_path / "maps.csv"
    )

    assert finished.returncode == 0, finished.stderr
    maps = pandas.read_csv(tmp_path / "maps.csv")
    assert (maps["class_name"] == maps["image"].map(NAMES)).all()


def test_the_frame_of_agreement_with_objects_has_it_too(run: harness.Run) -> None:
    frame = run.foreground(BrightnessThreshold(100), candidates=True, progress=False).to_frame()

    assert len(frame)
    assert (frame["class_name"] == frame["image"].map(NAMES)).all()


def test_images_without_labels_have_no_class(tmp_path: Path) -> None:
    assert set(labelled_run(tmp_path, more="").images()["class_name"]) == {""}
