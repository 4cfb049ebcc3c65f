"""Pictures are small, and true to their images."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from harness.views.report.pictures import LONGEST, picture


def opened(uri: str) -> Image.Image:
    head, _, content = uri.partition(",")
    assert head in ("data:image/png;base64", "data:image/jpeg;base64")
    return Image.open(io.BytesIO(base64.b64decode(content)))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_small_image_keeps_every_pixel(channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (28, 20, channels), np.uint8)

    found = np.asarray(opened(picture(pixels))).reshape(28, 20, channels)

    assert found.tolist() == pixels.tolist()


def test_a_large_image_is_made_smaller_at_its_own_aspect_ratio() -> None:
    pixels = np.zeros((500, 2000, 3), np.uint8)

    found = opened(picture(pixels))

    assert (found.format, found.size) == ("JPEG", (LONGEST, LONGEST // 4))


def test_colours_stay() -> None:
    pixels = np.full((300, 300, 3), (200, 40, 90), np.uint8)

    found = np.asarray(opened(picture(pixels))).mean(axis=(0, 1))

    assert np.abs(found - (200, 40, 90)).max() < 3
