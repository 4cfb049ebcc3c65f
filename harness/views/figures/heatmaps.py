"""What one query patch attends to, head by head."""

from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from harness.views.colours import CHOSEN
from harness.views.figures.patched import Patched
from harness.views.figures.style import (
    PAGE,
    SMALL,
    balanced,
    inches_of,
    new_figure,
    picture,
    style,
)

# Least and most inches of a panel, and those of the colour bar.
LEAST, MOST, BAR = 0.88, 2.6, 0.7
# Opacity of the heat over the image, so that unattended parts of the image stay visible.
WEAKEST, STRONGEST = 0.3, 0.8
# Colours show the square root of a weight, so that weak heads are seen beside strong ones.
ROOT = 0.5


@style()
def query_heatmaps(
    on: Patched,
    maps: NDArray[np.floating[Any]],
    query: int,
    *,
    title: str,
    names: Sequence[str] | None = None,
    width: float = PAGE,
) -> Figure:
    """Each head's row of one query patch: by itself, and over the image, the query marked.

    maps: (heads, n, n); names: their names, by default their numbers. All panels have the colours
    of one bar; the titles of the panels give each head's largest weight.
    """
    grid = on.patches.grid
    alone = Patched.of(None, grid)
    patch_height, patch_width = on.patches.patch_size
    blocks, columns = balanced(len(maps), int((width - BAR) / on.wide(LEAST)))
    side = min((width - BAR) / columns, MOST)
    height = side * on.ratio
    # Patches alone are as wide as over the image, and at most as high.
    heights = [min(height, side * on.patches.region[2] / on.patches.region[3]) + inches_of(" ")]
    if on.pixels is not None:
        heights.append(height)
    figure, panels = new_figure(
        blocks * len(heights), columns, columns * side + BAR, 1.05 * blocks * sum(heights), title,
        height_ratios=heights * blocks,
    )  # fmt: skip
    for panel in panels.flat:
        picture(panel)
    norm = PowerNorm(ROOT, vmin=0, vmax=max(float(maps[:, query].max()), np.finfo(float).tiny))
    for head, weights in enumerate(maps):
        row = weights[query]
        block, column = divmod(head, columns)
        above = panels[block * len(heights), column]
        drawn = above.imshow(
            row.reshape(grid), cmap="viridis", norm=norm, extent=(0, grid[1], grid[0], 0),
            aspect=patch_height / patch_width, interpolation="none",
        )  # fmt: skip
        called = f"head {head}" if names is None else names[head]
        largest = f"{row.max():.3f}".removeprefix("0")
        above.set_title(f"{called}: ≤{largest}", fontsize=SMALL)
        alone.mark(above, query, CHOSEN, side)
        if on.pixels is not None:
            below = panels[block * len(heights) + 1, column]
            colours = matplotlib.colormaps["viridis"](norm(row))[:, :3]
            on.draw(below, colours, WEAKEST + (STRONGEST - WEAKEST) * norm(row))
            on.mark(below, query, CHOSEN, side)
    figure.colorbar(drawn, ax=panels, label="attention weight", shrink=0.8, aspect=30)
    return figure
