from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures

import harness
from harness.analysis.masks import BrightnessThreshold, Masks
from harness.errors import HarnessError


def masks(folder: Path, **drawn: np.ndarray) -> Masks:
    for name, pixels in drawn.items():
        Pictures.fromarray(pixels).save(folder / f"{name}.png")
    return Masks(harness.make("image set", f"folder[path={folder}]"), "drawn")


def image(key: str, pixels: np.ndarray) -> harness.Image:
    return harness.Image(key, pixels.astype(np.uint8))


def test_brighter_pixels_are_foreground() -> None:
    pixels = np.array([[0, 1, 9], [10, 11, 255]])[:, :, None]
    assert BrightnessThreshold(0).mask(image("a", pixels)).tolist() == [
        [False, True, True],
        [True] * 3,
    ]
    assert BrightnessThreshold(10).mask(image("a", pixels)).tolist() == [
        [False] * 3,
        [False, True, True],
    ]


def test_brightness_tells_no_foreground_of_a_picture_in_colour() -> None:
    with pytest.raises(HarnessError, match=r"a\.jpg: of an image in colour"):
        BrightnessThreshold(0).mask(image("a.jpg", np.ones((2, 2, 3))))


@pytest.mark.parametrize("value", [-1, 255])
def test_a_brightness_that_no_pixel_or_every_pixel_has_is_refused(value: int) -> None:
    with pytest.raises(HarnessError, match=rf"0 … 254 is wanted, not {value}"):
        BrightnessThreshold(value)


@pytest.mark.parametrize("key", ["rose", "rose.jpg"])
def test_what_is_not_black_in_the_mask_of_that_name_is_foreground(tmp_path: Path, key: str) -> None:
    drawn = np.zeros((2, 3), dtype=np.uint8)
    drawn[1, 2] = 1
    found = masks(tmp_path, rose=drawn).mask(image(key, np.zeros((2, 3, 3))))
    assert found.tolist() == (drawn > 0).tolist()


def test_an_image_without_a_mask_is_named(tmp_path: Path) -> None:
    drawn = np.zeros((2, 3), dtype=np.uint8)
    with pytest.raises(HarnessError, match=r"drawn: there is no mask tulip\.png for tulip"):
        masks(tmp_path, rose=drawn).mask(image("tulip", np.zeros((2, 3, 1))))


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    drawn = np.zeros((2, 3), dtype=np.uint8)
    with pytest.raises(HarnessError, match=r"rose\.png is 2×3 pixels, its image 3×2"):
        masks(tmp_path, rose=drawn).mask(image("rose", np.zeros((3, 2, 1))))
