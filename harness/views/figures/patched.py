"""An image with something laid over its patches, each where it lies on the image."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.plugin.patches import Patches, Region
from harness.plugin.values import Floats
from harness.views.figures.style import photo

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Pixels = NDArray[np.uint8]
Grid = tuple[int, int]
# How flat and how tall room for a picture may be for its width, and from where it is widened.
FLATTEST, TALLEST = 0.25, 3.0
FLAT = 0.6
# How much of what lies outside the region is hidden, and the line round the region.
VEIL = 0.7
FRAME = "#333333"


@dataclass(frozen=True, eq=False)
class Patched:
    """Patches and the image (height, width, channels) that they lie on.

    Without an image the patches are squares beside one another, on nothing.
    """

    pixels: Pixels | None
    patches: Patches

    @classmethod
    def of(cls, pixels: Pixels | None, grid: Grid, region: Region | None) -> "Patched":
        """A grid on a region of the image, or if that is None on all of it."""
        if pixels is None:
            return cls(None, Patches.on(grid, grid, None))
        return cls(pixels, Patches.on(pixels.shape[:2], grid, region))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels of the image, or in patches where there is none."""
        return self.patches.grid if self.pixels is None else self.pixels.shape[:2]

    def inches(self, side: float) -> tuple[float, float]:
        """Width and height of a picture of the image that is at least so wide.

        A flat one is wider, so that it does not become thin.
        """
        rows, columns = self.size
        ratio = float(np.clip(rows / columns, FLATTEST, TALLEST))
        width = side * max(1.0, (FLAT / ratio) ** 0.5)
        return width, width * ratio

    def draw(
        self,
        panel: "Axes",
        colours: Floats,
        strength: float | Floats,
        *,
        grey: bool = False,
    ) -> None:
        """The image, each patch under its colour; what lies outside the region is dimmed.

        colours: RGB (n, 3) in 0 … 1; strength: how much of the image they hide, of each patch or of
        all; grey: whether the image is shown in light grey.
        """
        opacity = strength
        if self.pixels is None:
            opacity = 1.0
        else:
            photo(panel, self.pixels, grey=grey)
        laid = np.empty((len(colours), 4))
        laid[:, :3], laid[:, 3] = colours, opacity
        top, left, height, width = self.patches.region
        panel.imshow(
            laid.reshape(*self.patches.grid, 4),
            extent=(left, left + width, top + height, top),
            # Borders between patches stay sharp at any size.
            interpolation="none",
        )
        self.dim_outside(panel)

    def dim_outside(self, panel: "Axes") -> None:
        """Dim what of the image lies outside the region, and frame the region, if it is a part."""
        from matplotlib.patches import PathPatch, Rectangle
        from matplotlib.path import Path

        rows, columns = self.size
        panel.set_xlim(0, columns)
        panel.set_ylim(rows, 0)
        region = self.patches.region
        if region == (0.0, 0.0, float(rows), float(columns)):
            return
        top, left, height, width = region
        # The inner outline is run the other way round, so that it is a hole.
        outlines = _outline(0, 0, rows, columns) + _outline(*region)[::-1]
        codes = [Path.MOVETO, *[Path.LINETO] * 3, Path.CLOSEPOLY] * 2
        outside = Path(np.array(outlines), codes)
        panel.add_patch(PathPatch(outside, facecolor="white", alpha=VEIL, linewidth=0))
        frame = Rectangle((left, top), width, height, fill=False, edgecolor=FRAME, linewidth=0.8)
        panel.add_patch(frame)

    def mark(self, panel: "Axes", patch: int, colour: str) -> None:
        """A frame round one patch."""
        from matplotlib.patches import Rectangle

        top, left, height, width = self.patches.region_of(patch)
        panel.add_patch(
            Rectangle((left, top), width, height, fill=False, edgecolor=colour, linewidth=1.8)
        )


def _outline(top: float, left: float, height: float, width: float) -> list[tuple[float, float]]:
    """Corners (x, y) of a rectangle, the first again last."""
    right, bottom = left + width, top + height
    return [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
