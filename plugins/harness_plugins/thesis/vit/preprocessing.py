"""What a model of fixed size is shown of an image of any size."""

import numpy as np
from numpy.typing import NDArray

from harness import Image


def fitted(image: Image, height: int, width: int, channels: int) -> NDArray[np.uint8]:
    """Pixels (height, width, channels), resized by Pillow's Lanczos filter where they are not.

    The whole image is squeezed or stretched to the new shape, so that patches tile all of it.
    One channel is grey (ITU-R 601 luma), three are RGB.
    """
    from PIL import Image as Pictures

    pixels = image.pixels
    if pixels.shape == (height, width, channels):
        return np.array(pixels)
    picture = Pictures.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])
    picture = picture.convert("L" if channels == 1 else "RGB")
    if picture.size != (width, height):
        picture = picture.resize((width, height), Pictures.Resampling.LANCZOS)
    return np.array(picture).reshape(height, width, channels)
