"""An attention map as a matrix, for maps without a grid of patches."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from harness.metrics.partition import by_size, drop_singletons, in_order
from harness.plugin.values import Integers
from harness.views.colours import cluster_colours
from harness.views.figures.patched import draw_frame
from harness.views.figures.style import PAGE, new_figure, style

# Most inches of the figure.
MOST = 4.6
# Fewer of all patches than these have no room for their number.
NUMBERED = 0.05


@style()
def ordered_matrix(
    weights: NDArray[np.floating[Any]], labels: Integers, *, title: str, width: float = PAGE
) -> Figure:
    """Weights (n, n) with rows and columns cluster by cluster, the largest first.

    Clusters of two patches or more are framed in their colours and numbered; other patches come
    last. Shades show the square root, so that weak attention is visible next to strong.
    """
    side = min(width, MOST)
    figure, ((panel,),) = new_figure(1, 1, side, side * 0.85, title)
    order = in_order(labels)
    drawn = panel.imshow(np.sqrt(weights[np.ix_(order, order)]), cmap="Greys", vmin=0)
    colours, first = cluster_colours(labels[order], (1, len(order))), 0
    places, numbers = [], []
    for number, label in enumerate(by_size(drop_singletons(labels)), 1):
        size = int((labels == label).sum())
        draw_frame(panel, (first - 0.5, first - 0.5, size, size), colours[label], 2.2)
        if size >= NUMBERED * len(labels):
            places.append(first + (size - 1) / 2)
            numbers.append(str(number))
        first += size
    panel.set(xlabel="attended to, by cluster", ylabel="attending patch, by cluster")
    panel.set_xticks(places, numbers)
    panel.set_yticks(places, numbers)
    panel.tick_params(length=0)
    figure.colorbar(drawn, ax=panel, shrink=0.7, label="square root of the weight")
    return figure
