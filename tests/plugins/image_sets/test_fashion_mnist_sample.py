import numpy as np
import pytest

import harness
from harness_plugins.datasets.fashion_mnist import CLASSES


def test_every_ten_in_a_row_hold_each_class_once() -> None:
    images = harness.make("image set", "fashion-mnist-sample[count=100]")

    labels = [images.load(key).label for key in images.keys()]

    assert len(set(images.keys())) == 100
    assert np.sort(np.reshape(labels, (10, 10)), axis=1).tolist() == [list(range(10))] * 10


def test_a_key_names_the_class_of_its_image() -> None:
    images = harness.make("image set", "fashion-mnist-sample")

    for key in images.keys():
        label = images.load(key).label
        assert key.endswith(CLASSES[label].replace(" ", "-"))


def test_images_are_grey_and_28_pixels_wide_and_all_different() -> None:
    images = harness.make("image set", "fashion-mnist-sample[count=100]")
    loaded = [images.load(key) for key in images.keys()]

    assert {image.pixels.shape for image in loaded} == {(28, 28, 1)}
    assert len({image.digest for image in loaded}) == 100


@pytest.mark.parametrize("count", [0, 101])
def test_more_images_than_there_are_are_refused(count: int) -> None:
    with pytest.raises(harness.HarnessError, match="count must be 1 … 100"):
        harness.make("image set", f"fashion-mnist-sample[count={count}]")
