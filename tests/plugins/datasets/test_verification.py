import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import harness
from harness_plugins.datasets import cifar10, cinic10, tf_flowers
from harness_plugins.datasets.verification import verify


def problems(name: str, folder: Path) -> dict[str, str]:
    return dict(verify(name, folder))


@pytest.fixture
def flowers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The flower photos, of which there are two a class."""
    monkeypatch.setattr(tf_flowers, "COUNTS", (2, 2, 2, 2, 2))
    for name in tf_flowers.CLASSES:
        (tmp_path / name).mkdir()
        for number in range(2):
            Image.new("RGB", (4, 3)).save(tmp_path / name / f"{number}.jpg")
    return tmp_path


def test_flowers_that_are_all_there_are_well(flowers: Path) -> None:
    assert problems("tf-flowers", flowers) == dict.fromkeys(tf_flowers.CLASSES, "")


def test_a_broken_photo_is_reported_by_name_and_by_class(flowers: Path) -> None:
    (flowers / "roses" / "1.jpg").write_bytes(b"no photo")
    (flowers / "tulips" / "1.jpg").unlink()

    found = problems("tf-flowers", flowers)

    assert {part: problem for part, problem in found.items() if problem} == {
        "roses/1.jpg": "wrong: not an image of a known format",
        "roses": "wrong: 1 of 2 pictures cannot be read",
        "tulips": "wrong: 1 pictures, expected 2",
    }


def test_a_class_without_photos_is_reported(flowers: Path) -> None:
    shutil.rmtree(flowers / "daisy")

    (problem,) = problems("tf-flowers", flowers).values()

    assert "expected the folders daisy, " in problem
    assert "there are none in daisy" in problem


def test_each_part_of_cinic10_has_a_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cinic10, "PER_CLASS", 1)
    for part in ("train", "test"):
        for name in cinic10.CLASSES:
            (tmp_path / part / name).mkdir(parents=True)
            Image.new("RGB", (4, 3)).save(tmp_path / part / name / "a.png")

    found = problems("cinic10", tmp_path)

    assert list(found) == [
        *(f"train/{name}" for name in cinic10.CLASSES),
        "valid",
        *(f"test/{name}" for name in cinic10.CLASSES),
    ]
    assert [part for part, problem in found.items() if problem] == ["valid"]
    assert "no such folder" in found["valid"]


@pytest.fixture
def batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """CIFAR-10, with ten images a file."""
    monkeypatch.setattr(cifar10, "RECORDS", 10)
    for name in (name for names in cifar10.FILES.values() for name in names):
        records = np.zeros((10, cifar10.RECORD), np.uint8)
        records[:, 0] = np.arange(10)
        (tmp_path / name).write_bytes(records.tobytes())
    return tmp_path


def test_each_file_of_cifar10_has_a_verdict(batches: Path) -> None:
    assert set(problems("cifar10", batches).values()) == {""}

    (batches / "data_batch_2.bin").unlink()
    (batches / "test_batch.bin").write_bytes(bytes(100))
    found = problems("cifar10", batches)

    assert found["data_batch_2.bin"] == "missing"
    assert "100 bytes, not 10 records of 3073" in found["test_batch.bin"]
    assert [part for part, problem in found.items() if problem] == [
        "data_batch_2.bin",
        "test_batch.bin",
    ]


def test_cifar10s_labels_are_counted(batches: Path) -> None:
    (batches / "test_batch.bin").write_bytes(bytes(10 * cifar10.RECORD))

    found = problems("cifar10", batches)

    assert {part: problem for part, problem in found.items() if problem} == {
        "test": "wrong: the classes have 10, 0, 0, 0, 0, 0, 0, 0, 0, 0 images, expected 1 each"
    }


def test_a_set_that_cannot_be_verified_is_refused(tmp_path: Path) -> None:
    with pytest.raises(harness.HarnessError, match="fashion-mnist-sample cannot be verified"):
        verify("fashion-mnist-sample", tmp_path)
