"""Borders between clusters and their numbers, so that colours are not their only sign."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from harness.metrics.partition import by_size, drop_singletons
from harness.plugin.patches import Patches
from harness.plugin.values import Integers
from harness.views.figures.style import SMALL

# A dark line on a wider white one is seen on every photo and colour; lines are thinner round
# patches of fewer points.
LINES = (("white", 1.8), ("#1A1A1A", 0.8))
FULL = 8
# The smallest share of all patches that has a number; a map of noise would be full of numbers.
SMALLEST = 0.005


def draw_borders(panel: Axes, labels: Integers, patches: Patches, points: float) -> None:
    """Draw a line wherever two clusters of two patches or more, or one and no such one, meet.

    points: the width of a patch in the figure.
    """
    path = border_path(drop_singletons(labels).reshape(patches.grid), patches)
    thickness = min(1.0, points / FULL)
    for colour, width in LINES:
        panel.add_patch(
            PathPatch(
                path, facecolor="none", edgecolor=colour, linewidth=width * thickness,
                capstyle="round",
            )
        )  # fmt: skip


def border_path(laid: Integers, patches: Patches) -> Path:
    """The sides that patches of different labels (rows, columns) share, on the image."""
    height, width = patches.patch_size
    top, left, *_ = patches.region
    upright = np.argwhere(laid[:, 1:] != laid[:, :-1])
    level = np.argwhere(laid[1:] != laid[:-1])
    starts = np.concatenate([upright + np.array([0, 1]), level + np.array([1, 0])])
    ends = starts + np.repeat([(1, 0), (0, 1)], [len(upright), len(level)], axis=0)
    corners = np.stack([starts, ends], axis=1).reshape(-1, 2)
    places = np.column_stack([left + corners[:, 1] * width, top + corners[:, 0] * height])
    return Path(places, [Path.MOVETO, Path.LINETO] * len(starts))


def write_numbers(panel: Axes, labels: Integers, patches: Patches, points: float) -> None:
    """Write the number of each cluster, which is its label, on its parts that are large enough.

    points: the width of a patch in the figure.
    """
    height, width = patches.patch_size
    top, left, *_ = patches.region
    for label, part in _parts(drop_singletons(labels).reshape(patches.grid)):
        # A digit is about as high as the letters, and two thirds as wide.
        room = len(str(label)) * SMALL * SMALL * 0.7 * width / height
        if part.sum() * points**2 < room or part.sum() < SMALLEST * len(labels):
            continue
        row, column = _middle(part)
        panel.text(
            left + (column + 0.5) * width, top + (row + 0.5) * height, str(label),
            ha="center", va="center_baseline", fontsize=SMALL, fontweight="bold", color="white",
            path_effects=[withStroke(linewidth=1.6, foreground="#1A1A1A")],
        )  # fmt: skip


def _parts(laid: Integers) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """The label and the patches (rows, columns) of each part of a cluster that shares sides."""
    from scipy.ndimage import label as connected

    for label in by_size(laid.ravel()):
        parts, count = connected(laid == label)
        for number in range(1, count + 1):
            yield label, parts == number


def _middle(part: NDArray[np.bool_]) -> tuple[int, int]:
    """The row and column of the patch that is farthest inside, of these the one most central."""
    from scipy.ndimage import distance_transform_edt

    depth = distance_transform_edt(np.pad(part, 1))[1:-1, 1:-1]
    rows, columns = np.nonzero(depth == depth.max())
    distances = (rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2
    nearest = int(distances.argmin())
    return int(rows[nearest]), int(columns[nearest])
