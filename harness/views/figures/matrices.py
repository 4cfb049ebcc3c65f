"""An attention map as a matrix, for maps without a grid of patches."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from harness.metrics.partition import by_size, in_order
from harness.plugin.values import Integers
from harness.views.colours import cluster_colours
from harness.views.figures.patched import draw_frame
from harness.views.figures.style import new_figure, style

SIDE = 5.4


@style()
def ordered_matrix(weights: NDArray[np.floating[Any]], labels: Integers, *, title: str) -> Figure:
    """Weights (n, n) with rows and columns cluster by cluster, the largest first.

    Each cluster is framed in its colour; unassigned patches come last. Shades show the square root,
    so that weak attention is visible next to strong.
    """
    figure, ((panel,),) = new_figure(1, 1, SIDE, SIDE, title)
    order = in_order(labels)
    drawn = panel.imshow(np.sqrt(weights[np.ix_(order, order)]), cmap="Greys", vmin=0)
    colours, first = cluster_colours(labels[order], (1, len(order))), 0
    for label in by_size(labels):
        size = int((labels == label).sum())
        draw_frame(panel, (first - 0.5, first - 0.5, size, size), colours[label], 2.2)
        first += size
    panel.set(xlabel="attended to, by cluster", ylabel="attending patch, by cluster")
    panel.set(xticks=[], yticks=[])
    figure.colorbar(drawn, ax=panel, shrink=0.7, label="square root of the weight")
    return figure
