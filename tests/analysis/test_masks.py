from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pictures

import harness
from harness.analysis.masks import BrightnessThreshold, Masks, UnusableMaskError
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


def test_brightness_defines_no_foreground_in_a_colour_image() -> None:
    with pytest.raises(
        HarnessError, match=r"a\.jpg: brightness defines no foreground in a colour image"
    ):
        BrightnessThreshold(0).mask(image("a.jpg", np.ones((2, 2, 3))))


@pytest.mark.parametrize("value", [-1, 255])
def test_a_brightness_that_no_pixel_or_every_pixel_has_is_refused(value: int) -> None:
    with pytest.raises(HarnessError, match=rf"from 0 to 254, not {value}"):
        BrightnessThreshold(value)


@pytest.mark.parametrize("key", ["rose", "rose.jpg"])
def test_pixels_that_are_not_black_in_the_mask_of_that_name_are_foreground(
    tmp_path: Path, key: str
) -> None:
    drawn = np.zeros((2, 3), dtype=np.uint8)
    drawn[1, 2] = 1
    found = masks(tmp_path, rose=drawn).mask(image(key, np.zeros((2, 3, 3))))
    assert found.tolist() == (drawn > 0).tolist()


def test_an_image_without_a_mask_is_named(tmp_path: Path) -> None:
    drawn = np.zeros((2, 3), dtype=np.uint8)
    with pytest.raises(UnusableMaskError, match=r"drawn: there is no mask tulip\.png for tulip"):
        masks(tmp_path, rose=drawn).mask(image("tulip", np.zeros((2, 3, 1))))


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    drawn = np.zeros((2, 3), dtype=np.uint8)
    with pytest.raises(UnusableMaskError, match=r"rose\.png is 2×3 pixels, its image 3×2"):
        masks(tmp_path, rose=drawn).mask(image("rose", np.zeros((3, 2, 1))))


def test_a_mask_that_is_no_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "rose.png").write_text("no picture")

    with pytest.raises(UnusableMaskError, match=r"rose\.png: not an image") as raised:
        masks(tmp_path).mask(image("rose", np.zeros((2, 3, 1))))
    assert (raised.value.fault, raised.value.name) == ("masks that cannot be read", "rose.png")


def test_masks_lie_in_the_same_folders_as_their_images(tmp_path: Path) -> None:
    for name, value in (("roses", 1), ("tulips", 0)):
        (tmp_path / name).mkdir()
        masks(tmp_path / name, first=np.full((2, 2), value, dtype=np.uint8))
    found = masks(tmp_path)

    assert found.mask(image("roses/first.jpg", np.zeros((2, 2, 3)))).all()
    assert not found.mask(image("tulips/first.jpg", np.zeros((2, 2, 3)))).any()


def test_masks_that_belong_to_no_image_are_told(tmp_path: Path) -> None:
    drawn = np.zeros((2, 2), dtype=np.uint8)
    found = masks(tmp_path, rose=drawn, tulip=drawn, daisy=drawn)

    assert found.without_image(["rose.jpg", "daisy", "oak"]) == ["tulip.png"]


def label_masks(folder: Path) -> Masks:
    images = harness.make("image set", f"folder[path={folder},as_labels=true]")
    return Masks(images, "drawn", labels=True)


@pytest.mark.parametrize("indexed", [False, True])
def test_indices_and_grey_levels_are_labels(tmp_path: Path, indexed: bool) -> None:
    drawn = np.array([[0, 1, 2], [7, 7, 255]], dtype=np.uint8)
    picture = Pictures.fromarray(drawn)
    if indexed:
        picture.putpalette([255, 255, 255] * 256)
    picture.save(tmp_path / "rose.png")

    assert np.array_equal(label_masks(tmp_path).mask(image("rose", np.zeros((2, 3, 3)))), drawn)


def test_colours_are_no_labels(tmp_path: Path) -> None:
    Pictures.new("RGB", (3, 2), (0, 9, 0)).save(tmp_path / "rose.png")

    for found in (label_masks(tmp_path), Masks(masks(tmp_path).images, "drawn", labels=True)):
        with pytest.raises(UnusableMaskError, match=r"rose\.png: .* no labels") as raised:
            found.mask(image("rose", np.zeros((2, 3, 3))))
        assert raised.value.fault == "masks that cannot be read"
