"""Images as data URIs, smaller if they are large."""

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# The longer side of a picture, in pixels; a small one keeps every pixel, as PNG.
LONGEST = 640
SMALL = 96
QUALITY = 80


def picture(pixels: NDArray[np.uint8]) -> str:
    """The data URI of an image's pixels, (height, width, 1 or 3)."""
    grey = pixels.shape[2] == 1
    image = Image.fromarray(pixels[..., 0] if grey else pixels)
    small = max(image.size) <= SMALL
    image.thumbnail((LONGEST, LONGEST))
    kind = "png" if small else "jpeg"
    options = {"optimize": True} if small else {"quality": QUALITY, "optimize": True}
    written = io.BytesIO()
    image.save(written, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(written.getvalue()).decode()}"
