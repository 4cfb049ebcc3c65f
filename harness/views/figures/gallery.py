"""Images next to one another."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from harness.views.figures.style import new_figure, photo, picture, style

ACROSS = 4
SIDE = 2.2


@style()
def gallery(images: Sequence[tuple[str, NDArray[np.uint8]]], *, title: str) -> Figure:
    """Images (height, width, 1 or 3) under their names."""
    columns = min(ACROSS, len(images))
    rows = math.ceil(len(images) / columns)
    size = max(3.0, SIDE * columns), 0.6 + SIDE * 1.15 * rows
    figure, panels = new_figure(rows, columns, *size, title)
    for panel in panels.flat:
        picture(panel)
    for panel, (name, pixels) in zip(panels.flat, images, strict=False):
        photo(panel, pixels)
        picture(panel, name)
    return figure
