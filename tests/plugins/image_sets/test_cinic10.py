from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

import harness
from harness_plugins.datasets.cifar10 import CLASSES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder like CINIC-10's: of each class and split one image of either origin."""
    for part in ("train", "valid", "test"):
        for name in CLASSES:
            (tmp_path / part / name).mkdir(parents=True)
            for origin in ("cifar10-train-1", "n0001_1"):
                Image.new("RGB", (4, 4)).save(tmp_path / part / name / f"{origin}.png")
    return tmp_path


@pytest.fixture
def made(folder: Path) -> Callable[[str], harness.LabelledImageSet]:
    return lambda more: harness.make("image set", f"cinic10[path={folder}{more}]")


def test_each_split_is_its_folder(made: Callable[[str], harness.LabelledImageSet]) -> None:
    for split, part in (("train", "train"), ("validation", "valid"), ("test", "test")):
        images = made(f",split={split}")
        assert len(images.keys()) == 20
        for key in images.keys():
            assert key.startswith(f"{part}/{images.classes()[images.load(key).label or 0]}/")


def test_the_first_images_are_not_all_cifar10s(
    made: Callable[[str], harness.LabelledImageSet],
) -> None:
    origins = {key.rpartition("/")[2] for key in made(",count=10").keys()}

    assert len(origins) == 2


def test_an_image_of_another_split_is_refused_with_its_split(
    made: Callable[[str], harness.LabelledImageSet],
) -> None:
    with pytest.raises(harness.HarnessError, match="is in split validation, not in test"):
        made(",only=[valid/cat/n0001_1.png]").keys()


def test_a_folder_without_the_split_is_refused(tmp_path: Path) -> None:
    images = harness.make("image set", f"cinic10[path={tmp_path}]")

    with pytest.raises(
        harness.HarnessError, match="test: no such folder; it should contain airplane"
    ):
        images.keys()
