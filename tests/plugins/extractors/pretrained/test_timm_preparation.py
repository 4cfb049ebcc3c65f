from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pictures

import harness
from harness_plugins.extractors.pretrained.timm_preparation import Preparation


def prescribed(**changes: Any) -> dict[str, Any]:
    return {
        "input_size": (3, 32, 32),
        "interpolation": "bicubic",
        "mean": (0.5, 0.4, 0.3),
        "std": (0.5, 0.25, 0.2),
        "crop_pct": 0.9,
        "crop_mode": "center",
    } | changes


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"crop_pct": 1.0, "interpolation": "bilinear"},
        {"crop_mode": "squash"},
        {"input_size": (3, 32, 48)},
        {"input_size": (3, 32, 48), "crop_mode": "squash", "crop_pct": 1.0},
    ],
)
@pytest.mark.parametrize("size", [(50, 70), (71, 50), (36, 36), (20, 200), (9, 9)])
def test_pixels_are_exactly_those_of_timms_own_transform(
    changes: dict[str, Any], size: tuple[int, int]
) -> None:
    try:
        from timm.data import create_transform
    except Exception as error:  # of torchvision not every failure is an ImportError
        pytest.skip(f"timm cannot be imported: {error}")
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    configuration = prescribed(**changes)

    found = Preparation(configuration, (8, 8), None)(harness.Image("a", pixels)).pixels

    assert torch.equal(found[0], create_transform(**configuration)(Pictures.fromarray(pixels)))


@pytest.mark.parametrize("mode", ["center", "squash"])
@pytest.mark.parametrize("shape", [(80, 120), (200, 90), (64, 64)])
def test_the_region_is_where_the_patches_lie_on_the_image(
    mode: str, shape: tuple[int, int]
) -> None:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    ramp = np.stack([rows, columns, 0 * rows], axis=2).astype(np.uint8)
    configuration = prescribed(crop_mode=mode, mean=(0, 0, 0), std=(1, 1, 1))

    prepared = Preparation(configuration, (8, 8), None)(harness.Image("ramp", ramp))

    # Each patch's mean on a ramp is its middle.
    seen = prepared.pixels[0].reshape(3, 4, 8, 4, 8).mean(dim=(2, 4)).numpy() * 255
    top, left, height, width = prepared.region
    middles = (np.arange(4) + 0.5) / 4
    tolerance = 0.6 + max(shape) / 250
    assert np.abs(seen[0] - (top + middles * height - 0.5)[:, None]).max() < tolerance
    assert np.abs(seen[1] - (left + middles * width - 0.5)).max() < tolerance


def test_a_size_takes_all_of_the_image_in_whole_patches() -> None:
    image = harness.Image("a", np.zeros((50, 70, 1), dtype=np.uint8))

    prepared = Preparation(prescribed(), (8, 8), (48,))(image)

    assert prepared.pixels.shape == (1, 3, 48, 64)
    assert (prepared.grid, prepared.region) == ((6, 8), (0, 0, 50, 70))


def test_a_size_of_too_many_patches_is_refused_before_it_is_made() -> None:
    image = harness.Image("a", np.zeros((10, 900, 3), dtype=np.uint8))

    with pytest.raises(harness.HarnessError, match=r"a: cannot be prepared.*give a smaller size"):
        Preparation(prescribed(), (8, 8), (800,))(image)
