"""Images next to one another."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from harness.views.figures.patched import Patched
from harness.views.figures.pictures import Pictures
from harness.views.figures.style import PAGE, photo, style


@style()
def gallery(
    images: Sequence[tuple[str, NDArray[np.uint8]]], *, title: str, width: float = PAGE
) -> Figure:
    """Images (height, width, 1 or 3) under their names."""
    # All panels have the shape of the highest image.
    highest = max((pixels for _, pixels in images), key=lambda each: each.shape[0] / each.shape[1])
    layout = Pictures.within(width, len(images), Patched.of(highest, (1, 1)))
    figure, panels = layout.panels([name for name, _ in images], title=title)
    for panel, (_, pixels) in zip(panels, images, strict=True):
        photo(panel, pixels)
    return figure
