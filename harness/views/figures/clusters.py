"""Clusters drawn over the image that their patches come from."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from harness.metrics.partition import by_size, drop_singletons, numbered
from harness.plugin.values import UNASSIGNED, Floats, Integers
from harness.views.colours import cluster_colours
from harness.views.figures.patched import Patched
from harness.views.figures.style import new_figure, photo, picture, style, wrapped

SIDE = 2.4
WIDTH = 2.7
ACROSS = 4
# Opacity of a cluster's colour over the grey image.
STRENGTH = 0.62
# Most clusters whose sizes a legend lists.
LISTED = 6
# Tints of the patches of one cluster, and of all others. The latter is nearly white, so that dark
# parts of the cluster are not mistaken for patches outside.
TINT, REST, REST_STRENGTH = (0.0, 0.447, 0.698), (0.94, 0.94, 0.94), 0.78


@style()
def side_by_side(on: Patched, partitions: Sequence[tuple[str, Integers]], *, title: str) -> Figure:
    """The image, if there is one, and partitions of its patches, each with its cluster sizes."""
    count = len(partitions) + (on.pixels is not None)
    columns = min(ACROSS, count)
    rows = math.ceil(count / columns)
    width, height = on.inches(WIDTH)
    size = max(4.0, width * columns), rows * (1.5 + height)
    figure, panels = new_figure(rows, columns, *size, title)
    rest = list(panels.flat)
    if on.pixels is not None:
        first = rest.pop(0)
        photo(first, on.pixels)
        on.dim_outside(first)
        picture(first, "image")
    for panel in rest[len(partitions) :]:
        picture(panel)
    for panel, (name, labels) in zip(rest, partitions, strict=False):
        on.draw(panel, coloured(labels, on.patches.grid), STRENGTH, grey=True)
        picture(panel, wrapped(name, width))
        _legend(panel, labels, on.patches.grid)
    return figure


@style()
def panels(
    on: Patched, labels: Integers, *, title: str, names: Mapping[int, str] | None = None
) -> Figure:
    """One panel a cluster of two patches or more, tinted, the rest faded; the largest first.

    names: titles by label, in the order of the panels; by default they give the sizes.
    """
    if names is None:
        sizes = {label: (labels == label).sum() for label in by_size(drop_singletons(labels))}
        numbered = enumerate(sizes.items(), 1)
        names = {label: f"cluster {number}: {size} patches" for number, (label, size) in numbered}
    columns = min(ACROSS, max(1, len(names)))
    rows = math.ceil(max(1, len(names)) / columns)
    width, height = on.inches(SIDE - 0.3)
    # Each panel has 0.3 inches for its title.
    size = max(4.0, (width + 0.3) * columns), 0.7 + rows * (0.3 + height)
    figure, axes = new_figure(rows, columns, *size, title)
    for panel in axes.flat:
        picture(panel)
    for panel, (label, name) in zip(axes.flat, names.items(), strict=False):
        inside = labels == label
        tints = np.where(inside[:, None], TINT, REST)
        on.draw(panel, tints, np.where(inside, STRENGTH, REST_STRENGTH), grey=True)
        panel.set_title(name)
    return figure


def coloured(labels: Integers, grid: tuple[int, int]) -> Floats:
    """RGB (n, 3) in 0 … 1: the colour of each patch's cluster, of patches on a grid."""
    colours = cluster_colours(labels, grid)
    return np.array([colours[int(label)] for label in labels])


def _legend(panel: Axes, labels: Integers, grid: tuple[int, int]) -> None:
    labels = numbered(labels)
    colours = cluster_colours(labels, grid)
    sizes = {label: int((labels == label).sum()) for label in by_size(labels)}
    listed = [label for label, size in sizes.items() if size > 1][:LISTED]
    entries = [Patch(color=colours[label], label=f"{label}: {sizes[label]}") for label in listed]
    others = len(sizes) - len(listed)
    if others:
        patches = sum(size for label, size in sizes.items() if label not in listed)
        entries.append(Patch(color="none", label=f"{patches} in {others} more"))
    unassigned = int((labels == UNASSIGNED).sum())
    if unassigned:
        entries.append(Patch(color=colours[UNASSIGNED], label=f"{unassigned} in none"))
    columns = min(3, max(1, len(entries)))
    # Matplotlib fills legends by column; the numbers are read by row.
    entries = [entry for column in range(columns) for entry in entries[column::columns]]
    panel.legend(
        handles=entries, title="cluster: patches", loc="upper center", bbox_to_anchor=(0.5, -0.02),
        ncols=columns, handlelength=1, columnspacing=0.9, fontsize=8,
    )  # fmt: skip
