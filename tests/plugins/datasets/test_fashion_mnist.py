from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import harness
from harness_plugins.datasets import fashion_mnist
from harness_plugins.datasets.verification import verify

Writer = Callable[[NDArray[np.uint8], NDArray[np.uint8]], None]

DEBIAN = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture
def write(tmp_path: Path, idx_content: Callable[[NDArray[np.uint8]], bytes]) -> Writer:
    """Writes the training images and labels."""

    def written(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> None:
        (tmp_path / "train-images-idx3-ubyte").write_bytes(idx_content(images))
        (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_content(labels))

    return written


def test_both_halves_are_read(striped_images: Path) -> None:
    for half, count in (("train", 96), ("test", 32)):
        images, labels = fashion_mnist.load(striped_images, half)  # type: ignore[arg-type]

        assert (images.shape, labels.shape) == ((count, 8, 8), (count,))


def test_a_folder_that_is_not_there_is_refused_with_what_it_should_hold(tmp_path: Path) -> None:
    with pytest.raises(
        harness.HarnessError, match=r"no such folder; it should contain train-images"
    ):
        fashion_mnist.load(tmp_path / "nowhere", "train")


def test_a_missing_file_is_named(striped_images: Path) -> None:
    (striped_images / "t10k-labels-idx1-ubyte.gz").unlink()

    with pytest.raises(harness.HarnessError, match=r"neither t10k-labels-idx1-ubyte nor "):
        fashion_mnist.load(striped_images, "test")


@pytest.mark.parametrize(
    ("images", "labels"),
    [((3, 8, 8), (2,)), ((0, 8, 8), (0,)), ((3, 8), (3,)), ((3, 8, 8), (3, 1))],
)
def test_images_and_labels_that_do_not_match_are_refused(
    tmp_path: Path, write: Writer, images: tuple[int, ...], labels: tuple[int, ...]
) -> None:
    write(np.zeros(images, np.uint8), np.zeros(labels, np.uint8))

    with pytest.raises(harness.HarnessError, match="do not match"):
        fashion_mnist.load(tmp_path, "train")


def test_a_label_outside_the_classes_is_refused(tmp_path: Path, write: Writer) -> None:
    write(np.zeros((2, 8, 8), np.uint8), np.array([0, 10], np.uint8))

    with pytest.raises(harness.HarnessError, match="label 10 is not among 10 classes"):
        fashion_mnist.load(tmp_path, "train")


@pytest.mark.skipif(not DEBIAN.is_dir(), reason="dataset-fashion-mnist is not installed")
def test_debians_package_holds_the_published_images() -> None:
    images, labels = fashion_mnist.load(DEBIAN, "test")

    assert images.shape == (10_000, 28, 28)
    assert np.bincount(labels).tolist() == [1000] * 10
    assert not any(problem for _, problem in verify("fashion-mnist", DEBIAN))
