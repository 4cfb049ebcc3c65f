from pathlib import Path

import numpy as np
import pytest

import harness
from harness_plugins.datasets import cifar10


@pytest.fixture(autouse=True)
def _few_records(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cifar10, "RECORDS", 2)


def test_planes_become_channels(tmp_path: Path) -> None:
    planes = np.arange(2 * 3 * 32 * 32, dtype=np.int64).reshape(2, 3, 32, 32) % 251
    records = np.concatenate([[[7], [2]], planes.reshape(2, -1)], axis=1).astype(np.uint8)
    (tmp_path / "test_batch.bin").write_bytes(records.tobytes())

    images, labels = cifar10.load(tmp_path, "test")

    assert labels.tolist() == [7, 2]
    for channel in range(3):
        np.testing.assert_array_equal(images[..., channel], planes[:, channel])


def test_the_five_training_files_come_in_order(tmp_path: Path) -> None:
    for number in range(1, 6):
        content = np.full((2, cifar10.RECORD), number, np.uint8)
        (tmp_path / f"data_batch_{number}.bin").write_bytes(content.tobytes())

    images, labels = cifar10.load(tmp_path, "train")

    assert labels.tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert images.shape == (10, 32, 32, 3)


def test_a_folder_of_pickles_is_distinguished_from_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(harness.HarnessError, match=r"test_batch\.bin is missing; expected data_b"):
        cifar10.load(tmp_path, "test")

    (tmp_path / "test_batch").write_bytes(b"\x80\x04.")
    with pytest.raises(harness.HarnessError, match="Python version, which is pickles"):
        cifar10.load(tmp_path, "test")


@pytest.mark.parametrize("size", [0, 2 * 3073 - 1, 2 * 3073 + 1])
def test_a_file_of_another_size_is_refused(tmp_path: Path, size: int) -> None:
    (tmp_path / "test_batch.bin").write_bytes(bytes(size))

    with pytest.raises(harness.HarnessError, match=f"{size} bytes, not 2 records of 3073, 6146"):
        cifar10.load(tmp_path, "test")


def test_a_label_of_no_class_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test_batch.bin").write_bytes(bytes([10]) + bytes(2 * 3073 - 1))

    with pytest.raises(harness.HarnessError, match="label 10 is not among 10 classes"):
        cifar10.load(tmp_path, "test")
