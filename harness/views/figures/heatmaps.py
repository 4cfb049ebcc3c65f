"""What one query patch attends to, head by head."""

import math
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from harness.views.colours import CHOSEN
from harness.views.figures.patched import Patched
from harness.views.figures.style import new_figure, picture, style

ACROSS = 6
SIDE = 1.5
# Opacity of the heat over the image, so that unattended parts of the image stay visible.
WEAKEST, STRONGEST = 0.3, 0.8
# Inches of a panel that its title takes.
TITLE = 0.25


@style()
def query_heatmaps(
    on: Patched,
    maps: NDArray[np.floating[Any]],
    query: int,
    *,
    title: str,
    names: Sequence[str] | None = None,
) -> Figure:
    """Each head's row of one query patch: by itself, and over the image, the query marked.

    maps: (heads, n, n); names: their names, by default their numbers. Colours are scaled by head:
    the brightest is each head's maximum, which the title of its panel gives.
    """
    grid = on.patches.grid
    alone = Patched.of(None, grid)
    patch_height, patch_width = on.patches.patch_size
    columns = min(ACROSS, len(maps))
    blocks = math.ceil(len(maps) / columns)
    width, height = on.inches(SIDE)
    # Patches alone are as wide as over the image, and at most as high.
    heights = [min(height, width * (on.patches.region[2] / on.patches.region[3])) + TITLE]
    if on.pixels is not None:
        heights.append(height)
    size = max(4.0, width * columns), 0.8 + 1.05 * blocks * sum(heights)
    figure, panels = new_figure(
        blocks * len(heights), columns, *size, title, height_ratios=heights * blocks
    )
    for panel in panels.flat:
        picture(panel)
    for head, weights in enumerate(maps):
        row = weights[query]
        block, column = divmod(head, columns)
        above = panels[block * len(heights), column]
        above.imshow(
            row.reshape(grid), cmap="viridis", vmin=0, extent=(0, grid[1], grid[0], 0),
            aspect=patch_height / patch_width, interpolation="none",
        )  # fmt: skip
        called = f"head {head}" if names is None else names[head]
        above.set_title(f"{called}: to {row.max():.3f}", fontsize=8)
        alone.mark(above, query, CHOSEN)
        if on.pixels is not None:
            below = panels[block * len(heights) + 1, column]
            relative = row / max(row.max(), 1e-300)
            colours = matplotlib.colormaps["viridis"](relative)[:, :3]
            on.draw(below, colours, WEAKEST + (STRONGEST - WEAKEST) * relative)
            on.mark(below, query, CHOSEN)
    return figure
