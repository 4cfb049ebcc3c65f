"""Clusters laid over the image that their patches come from."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness.scores.ablation import clusters_of_two
from harness.values import UNASSIGNED, Integers, Scalar
from harness.views.figures.style import (
    by_size,
    cluster_colours,
    new_figure,
    picture,
    shown,
    style,
    wrapped,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Pixels = NDArray[np.uint8]
Grid = tuple[int, int]
SIDE = 2.4
WIDTH = 2.7
# How flat and how tall a panel may be for its width.
FLATTEST, TALLEST = 0.25, 3.0
ACROSS = 4
# Of a cluster's colour over the image; the rest is the image in grey.
STRENGTH = 0.62
# Clusters that a legend tells the sizes of, in two lines.
LISTED = 6
TINT = (0.0, 0.447, 0.698)


def overlay(pixels: Pixels | None, grid: Grid, labels: Integers, *, title: str) -> "Figure":
    """The image, and beside it its patches in the colours of their clusters."""
    return side_by_side(pixels, grid, [("", labels)], title=title)


def side_by_side(
    pixels: Pixels | None,
    grid: Grid,
    partitions: Sequence[tuple[str, Integers]],
    *,
    title: str,
) -> "Figure":
    """The image, if there is one, and several partitions of its patches, each with its sizes."""
    with style():
        columns = len(partitions) + (pixels is not None)
        height = 1.5 + _height(pixels, grid, WIDTH)
        figure, panels = new_figure(1, columns, max(4.0, WIDTH * columns), height, title)
        rest = list(panels[0])
        if pixels is not None:
            first = rest.pop(0)
            first.imshow(shown(pixels))
            picture(first, "image")
        for panel, (name, labels) in zip(rest, partitions, strict=True):
            panel.imshow(coloured(pixels, grid, labels), extent=_extent(pixels, grid))
            picture(panel, wrapped(name, WIDTH))
            _legend(panel, labels)
        return figure


def panels(
    pixels: Pixels | None,
    grid: Grid,
    labels: Integers,
    *,
    title: str,
    names: dict[int, str] | None = None,
) -> "Figure":
    """One panel a cluster of two patches or more, in colour, the rest grey, the largest first.

    `names` are titles by label, in the order of the panels; the size if not given.
    """
    with style():
        shown_labels = by_size(clusters_of_two(labels)) if names is None else list(names)
        columns = min(ACROSS, max(1, len(shown_labels)))
        rows = math.ceil(max(1, len(shown_labels)) / columns)
        # Of each panel some is its title.
        height = 0.7 + rows * (0.3 + _height(pixels, grid, SIDE - 0.3))
        figure, axes = new_figure(rows, columns, max(4.0, SIDE * columns), height, title)
        for panel in axes.flat:
            picture(panel)
        for place, (panel, label) in enumerate(zip(axes.flat, shown_labels, strict=False), 1):
            panel.imshow(_alone(pixels, grid, labels == label), extent=_extent(pixels, grid))
            size = int((labels == label).sum())
            panel.set_title(names[label] if names else f"cluster {place}: {size} patches")
        return figure


def coloured(pixels: Pixels | None, grid: Grid, labels: Integers) -> NDArray[np.float64]:
    """RGB (height, width, 3) in 0…1: patches in their clusters' colours over the grey image."""
    colours = cluster_colours(labels)
    flat = np.array([colours[int(label)] for label in labels]).reshape(*grid, 3)
    if pixels is None:
        return flat
    height, width, _ = pixels.shape
    # Never black, so that a cluster has its colour where the image is dark too.
    grey = 0.35 + 0.65 * shown(pixels).mean(axis=2, keepdims=True) / 255
    mixed = STRENGTH * _stretched(flat, height, width) + (1 - STRENGTH) * grey
    return np.asarray(mixed, dtype=np.float64)


def _alone(pixels: Pixels | None, grid: Grid, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    if pixels is None:
        return np.where(chosen.reshape(*grid, 1), TINT, 0.88)
    height, width, _ = pixels.shape
    image = shown(pixels) / 255
    inside = _stretched(chosen.reshape(*grid, 1), height, width)
    # Light grey, so that a dark part of a cluster is not taken for what lies outside.
    faded = 0.72 + 0.2 * image.mean(axis=2, keepdims=True)
    tinted = 0.5 * image + 0.5 * np.array(TINT)
    return np.where(inside, tinted, faded)


def _stretched(patches: NDArray[Scalar], height: int, width: int) -> NDArray[Scalar]:
    """Patches (rows, columns, …) as pixels: each pixel the patch that its middle lies in."""
    rows, columns = patches.shape[:2]
    down = ((np.arange(height) + 0.5) * rows / height).astype(int)
    across = ((np.arange(width) + 0.5) * columns / width).astype(int)
    return np.asarray(patches[down[:, None], across[None, :]])


def _extent(pixels: Pixels | None, grid: Grid) -> tuple[float, float, float, float]:
    height, width = pixels.shape[:2] if pixels is not None else grid
    return -0.5, width - 0.5, height - 0.5, -0.5


def _height(pixels: Pixels | None, grid: Grid, width: float) -> float:
    """How high a picture of that width is, in inches."""
    rows, columns = pixels.shape[:2] if pixels is not None else grid
    return width * float(np.clip(rows / columns, FLATTEST, TALLEST))


def _legend(panel: "Axes", labels: Integers) -> None:
    from matplotlib.patches import Patch

    colours = cluster_colours(labels)
    sizes = {label: int((labels == label).sum()) for label in by_size(labels)}
    listed = [label for label, size in sizes.items() if size > 1][:LISTED]
    entries = [Patch(color=colours[label], label=str(sizes[label])) for label in listed]
    others = len(sizes) - len(listed)
    if others:
        patches = sum(size for label, size in sizes.items() if label not in listed)
        entries.append(Patch(color="none", label=f"{patches} in {others} more"))
    unassigned = int((labels == UNASSIGNED).sum())
    if unassigned:
        entries.append(Patch(color=colours[UNASSIGNED], label=f"{unassigned} in none"))
    columns = min(4, max(1, len(entries)))
    # The library fills columns; the sizes are to be read row by row.
    entries = [entry for column in range(columns) for entry in entries[column::columns]]
    panel.legend(
        handles=entries, title="patches", loc="upper center", bbox_to_anchor=(0.5, -0.02),
        ncols=columns, handlelength=1, columnspacing=0.9, fontsize=8,
    )  # fmt: skip
