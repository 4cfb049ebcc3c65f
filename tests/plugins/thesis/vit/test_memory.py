import pytest
import torch

from harness_plugins.thesis.vit.memory import LARGEST_BLOCK, images_at_once
from harness_plugins.thesis.vit.model import ModelSettings

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
PHOTOS = ModelSettings(224, 224, 3, patch=16, dimension=96, classes=5)


def test_so_many_images_go_through_a_model_as_fit_into_one_block() -> None:
    # The floats of a photo are the largest tensor.
    size = images_at_once(128, PHOTOS, CPU)

    assert size * 224 * 224 * 3 * 4 <= LARGEST_BLOCK < (size + 1) * 224 * 224 * 3 * 4


def test_a_batch_of_small_images_is_not_divided() -> None:
    assert images_at_once(128, ModelSettings(), CPU) == 128


def test_one_image_is_never_divided() -> None:
    assert images_at_once(128, ModelSettings(10**6, 10**6, 1), CPU) == 1


@pytest.mark.parametrize("most", [1, 500])
def test_other_devices_take_whole_batches(most: int) -> None:
    assert images_at_once(most, PHOTOS, CUDA) == most
