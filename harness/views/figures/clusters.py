"""Clusters drawn over the image that their patches come from."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from harness.metrics.partition import by_size, drop_singletons, numbered
from harness.plugin.values import UNASSIGNED, Floats, Integers
from harness.views.colours import SINGLETON_COLOUR, UNASSIGNED_COLOUR, cluster_colours
from harness.views.figures.borders import draw_borders, write_numbers
from harness.views.figures.patched import Patched
from harness.views.figures.pictures import Pictures, most_pictures
from harness.views.figures.style import PAGE, balanced, photo, style

# Opacity of a cluster's colour over the grey image.
STRENGTH = 0.62
# Most clusters whose sizes a legend lists.
LISTED = 6
# The tint of all patches outside the cluster of a panel. It is nearly white, so that dark parts of
# the cluster are not mistaken for patches outside.
REST, REST_STRENGTH = (0.94, 0.94, 0.94), 0.78
# Letters that an entry of a legend takes, with its handle and the gaps.
ENTRY = 12
# Lines of a panel's title: the cluster, and its salience.
TITLE_LINES = 2


@style()
def side_by_side(
    on: Patched, partitions: Sequence[tuple[str, Integers]], *, title: str, width: float = PAGE
) -> Figure:
    """The image, if there is one, and partitions of its patches, each with its cluster sizes.

    Lines separate the clusters, and numbers name them, as in the legends.
    """
    first = [] if on.pixels is None else ["image"]
    layout = Pictures.within(width, len(first) + len(partitions), on)
    legends = [_entries(numbered(labels), on.patches.grid) for _, labels in partitions]
    columns = layout.entries(ENTRY)
    lines = 1 + max(balanced(len(entries), columns)[0] for entries in legends)
    names = [*first, *(name for name, _ in partitions)]
    figure, panels = layout.panels(names, title=title, legend_lines=lines)
    if on.pixels is not None:
        photo(panels[0], on.pixels)
        on.dim_outside(panels[0])
    of_partitions, points = panels[len(first) :], on.points_of_patch(layout.side)
    for panel, (_, labels), entries in zip(of_partitions, partitions, legends, strict=True):
        on.draw(panel, coloured(labels, on.patches.grid), STRENGTH, grey=True)
        draw_borders(panel, labels, on.patches, points)
        write_numbers(panel, numbered(labels), on.patches, points)
        _legend(panel, entries, columns)
    return figure


@style()
def panels(
    on: Patched,
    labels: Integers,
    *,
    title: str,
    names: Mapping[int, str] | None = None,
    width: float = PAGE,
) -> Figure:
    """One panel a cluster of two patches or more, in its colour, the rest faded; the largest first.

    names: titles by label, in the order of the panels; by default they give the sizes. Clusters
    that a page has no room for are left out, and the title says how many.
    """
    if names is None:
        sizes = {label: (labels == label).sum() for label in by_size(drop_singletons(labels))}
        in_order = enumerate(sizes.items(), 1)
        names = {label: f"cluster {number}: {size} patches" for number, (label, size) in in_order}
    shown = list(names)[: most_pictures(width, on, TITLE_LINES)]
    if len(shown) < len(names):
        title += f"; the first {len(shown)} of {len(names)} clusters"
    titles = [names[label] for label in shown] or ["no clusters"]
    layout = Pictures.within(width, len(titles), on)
    figure, axes = layout.panels(titles, title=title)
    colours, points = cluster_colours(labels, on.patches.grid), on.points_of_patch(layout.side)
    for panel, label in zip(axes, shown, strict=False):
        inside = labels == label
        tints = np.where(inside[:, None], colours[label], REST)
        on.draw(panel, tints, np.where(inside, STRENGTH, REST_STRENGTH), grey=True)
        draw_borders(panel, np.where(inside, label, UNASSIGNED), on.patches, points)
    return figure


def coloured(labels: Integers, grid: tuple[int, int]) -> Floats:
    """RGB (n, 3) in 0 … 1: the colour of each patch's cluster, of patches on a grid."""
    colours = cluster_colours(labels, grid)
    return np.array([colours[int(label)] for label in labels])


def _entries(numbers: Integers, grid: tuple[int, int]) -> list[Patch]:
    """The colour and size of each of the largest clusters, and what the greys are."""
    colours = cluster_colours(numbers, grid)
    shared = drop_singletons(numbers)
    sizes = {number: int((shared == number).sum()) for number in by_size(shared)}
    # One cluster more takes no more room than the entry of all others.
    listed = list(sizes)[: LISTED if len(sizes) > LISTED + 1 else None]
    entries = [Patch(color=colours[each], label=f"{each}: {sizes[each]}") for each in listed]
    if others := list(sizes)[len(listed) :]:
        patches = sum(sizes[each] for each in others)
        entries.append(Patch(color="none", label=f"{patches} in {others[0]} to {others[-1]}"))
    unassigned = int((numbers == UNASSIGNED).sum())
    alone = int((shared == UNASSIGNED).sum()) - unassigned
    if alone:
        entries.append(Patch(color=SINGLETON_COLOUR, label=f"{alone} alone"))
    if unassigned:
        entries.append(Patch(color=UNASSIGNED_COLOUR, label=f"{unassigned} in none"))
    return entries


def _legend(panel: Axes, entries: Sequence[Patch], most: int) -> None:
    _, columns = balanced(len(entries), most)
    # Matplotlib fills legends by column; the numbers are read by row.
    ordered = [entry for column in range(columns) for entry in entries[column::columns]]
    panel.legend(
        handles=ordered, title="cluster: patches", loc="upper center", bbox_to_anchor=(0.5, 0),
        ncols=columns, handlelength=1, columnspacing=0.9, borderaxespad=0.1,
    )  # fmt: skip
