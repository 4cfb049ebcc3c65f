"""Fits images of any size to a model of fixed size."""

import numpy as np
from numpy.typing import NDArray

from harness import Image


def fitted(image: Image, height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """The image as (height, width, channels): converted (ITU-R 601), and resized by Lanczos."""
    from PIL import Image as Pictures

    pixels = image.pixels
    if pixels.shape == (height, width, channels):
        return np.array(pixels)
    picture = Pictures.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])
    picture = picture.convert("L" if channels == 1 else "RGB")
    if picture.size != (width, height):
        picture = picture.resize((width, height), Pictures.Resampling.LANCZOS)
    return np.array(picture).reshape(height, width, channels)
