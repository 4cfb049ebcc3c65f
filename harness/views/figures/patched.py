"""An image with colours over its patches, each at its place on the image."""

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from numpy.typing import NDArray

from harness.plugin.patches import Patches, Region
from harness.plugin.values import Floats
from harness.views.colours import Colour
from harness.views.figures.style import photo

Pixels = NDArray[np.uint8]
Grid = tuple[int, int]
# Limits of the height of a picture relative to its width, and the ratio below which it is widened.
FLATTEST, TALLEST = 0.25, 1.5
FLAT = 0.6
# Opacity of the veil over the image outside the region, and the colour of its frame.
VEIL = 0.7
FRAME = "#333333"


@dataclass(frozen=True, eq=False)
class Patched:
    """Patches and the image (height, width, channels) they lie on; without it, unit squares."""

    pixels: Pixels | None
    patches: Patches

    @classmethod
    def of(cls, pixels: Pixels | None, grid: Grid, region: Region | None = None) -> "Patched":
        """A grid on a region of the image, as in `AttentionMap`; None is the whole image."""
        if pixels is None:
            return cls(None, Patches.on(grid, grid, None))
        return cls(pixels, Patches.on(pixels.shape[:2], grid, region))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image in pixels; without an image, of the grid in patches."""
        return self.patches.grid if self.pixels is None else self.pixels.shape[:2]

    @property
    def ratio(self) -> float:
        """The height of a picture relative to its width, within limits."""
        rows, columns = self.size
        return float(np.clip(rows / columns, FLATTEST, TALLEST))

    def wide(self, side: float) -> float:
        """The width of a picture at least `side` wide; a flat one is wider, not thin."""
        return side * max(1.0, math.sqrt(FLAT / self.ratio))

    def points_of_patch(self, side: float) -> float:
        """How wide a patch is in a picture of `side` inches, in points."""
        return side * 72 * self.patches.patch_size[1] / self.size[1]

    def draw(
        self, panel: Axes, colours: Floats, strength: float | Floats, *, grey: bool = False
    ) -> None:
        """Draw the image with each patch under its colour, dimmed outside the region.

        colours: RGB (n, 3) in 0 … 1; strength: their opacity, for each patch or for all; grey:
        whether the image is drawn in light grey.
        """
        if self.pixels is not None:
            photo(panel, self.pixels, grey=grey)
        laid = np.empty((len(colours), 4))
        laid[:, :3], laid[:, 3] = colours, 1.0 if self.pixels is None else strength
        top, left, height, width = self.patches.region
        panel.imshow(
            laid.reshape(*self.patches.grid, 4),
            extent=(left, left + width, top + height, top),
            # Borders between patches stay sharp at any size.
            interpolation="none",
        )
        self.dim_outside(panel)

    def dim_outside(self, panel: Axes) -> None:
        """Dim the image outside the region and frame the region, unless it is the whole image."""
        rows, columns = self.size
        panel.set_xlim(0, columns)
        panel.set_ylim(rows, 0)
        region = self.patches.region
        if region == (0.0, 0.0, float(rows), float(columns)):
            return
        # The inner outline runs the other way round, which makes it a hole.
        outlines = _outline(0, 0, rows, columns) + _outline(*region)[::-1]
        codes = [Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY] * 2
        outside = Path(np.array(outlines), codes)
        panel.add_patch(PathPatch(outside, facecolor="white", alpha=VEIL, linewidth=0))
        draw_frame(panel, region, FRAME, 0.8)

    def mark(self, panel: Axes, patch: int, colour: str, side: float) -> None:
        """Draw a frame round one patch of a picture that is `side` inches wide."""
        thickness = min(1.8, 0.2 * self.points_of_patch(side))
        draw_frame(panel, self.patches.region_of(patch), colour, thickness)


def draw_frame(panel: Axes, region: Region, colour: str | Colour, width: float) -> None:
    """Draw the outline of a region."""
    top, left, high, wide = region
    panel.add_patch(
        Rectangle((left, top), wide, high, fill=False, edgecolor=colour, linewidth=width)
    )


def _outline(top: float, left: float, height: float, width: float) -> list[tuple[float, float]]:
    """Corners (x, y) of a rectangle, the first again last."""
    right, bottom = left + width, top + height
    return [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
