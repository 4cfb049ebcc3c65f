"""What one query patch attends to, head by head."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.views.figures.style import CHOSEN, new_figure, picture, shown, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ACROSS = 6
SIDE = 1.5


def query_heatmaps(
    pixels: NDArray[np.uint8] | None,
    maps: NDArray[np.floating[Any]],
    grid: tuple[int, int],
    query: int,
    *,
    title: str,
    names: Sequence[str] | None = None,
) -> "Figure":
    """Each head's row of one query patch: on the grid, and over the image, the query marked.

    maps: (heads, n, n), called `names` or by their place. Colours are scaled by head: what is
    bright is each head's most, and the title of each panel tells how much that is.
    """
    heads = len(maps)
    with style():
        columns = min(ACROSS, heads)
        blocks = math.ceil(heads / columns)
        layers = 1 if pixels is None else 2
        rows = blocks * layers
        figure, panels = new_figure(
            rows, columns, max(4.0, SIDE * columns), 0.8 + SIDE * 1.15 * rows, title
        )
        for panel in panels.flat:
            picture(panel)
        for head, weights in enumerate(maps):
            row = weights[query].reshape(grid)
            block, column = divmod(head, columns)
            above = panels[block * layers, column]
            above.imshow(row, cmap="viridis", vmin=0)
            called = f"head {head}" if names is None else names[head]
            above.set_title(f"{called}: to {row.max():.3f}", fontsize=8)
            _mark(above, query, grid, grid)
            if pixels is not None:
                below = panels[block * layers + 1, column]
                height, width, _ = pixels.shape
                below.imshow(shown(pixels))
                below.imshow(
                    row, cmap="viridis", vmin=0, alpha=0.6,
                    extent=(-0.5, width - 0.5, height - 0.5, -0.5),
                )  # fmt: skip
                _mark(below, query, grid, (height, width))
        return figure


def _mark(panel: "Axes", query: int, grid: tuple[int, int], size: tuple[int, int]) -> None:
    from matplotlib.patches import Rectangle

    row, column = divmod(query, grid[1])
    height, width = size[0] / grid[0], size[1] / grid[1]
    corner = (column * width - 0.5, row * height - 0.5)
    panel.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=CHOSEN, linewidth=1.8))
