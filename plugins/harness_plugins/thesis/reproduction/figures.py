"""Figures of how well models classify: confusion, accuracy by class, class probabilities."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from harness import Floats, Integers
from harness.command import CHOSEN, PAGE, colour, marker, new_figure, photo, picture, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def confusion(
    matrix: Integers, classes: Sequence[str], *, title: str, width: float = PAGE
) -> "Figure":
    """Numbers of images by true class (rows) and predicted class (columns)."""
    with style():
        side = min(width, max(3.4, 1.6 + 0.4 * len(classes)))
        figure, ((panel,),) = new_figure(1, 1, side, side, title)
        totals = matrix.sum(axis=1, keepdims=True)
        fractions = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
        # The root makes small fractions off the diagonal visible.
        panel.imshow(np.sqrt(fractions), cmap="Blues", vmin=0, vmax=1)
        for row, column in np.ndindex(*matrix.shape):
            if matrix[row, column]:
                panel.text(
                    column, row, str(matrix[row, column]), ha="center", va="center", fontsize=7,
                    color="white" if fractions[row, column] > 0.35 else "black",
                )  # fmt: skip
        ticks = range(len(classes))
        panel.set_xticks(ticks, classes, rotation=45, ha="right", rotation_mode="anchor")
        panel.set_yticks(ticks, classes)
        panel.set_xlabel("predicted")
        panel.set_ylabel("true class")
        panel.spines[:].set_visible(False)
        return figure


def by_heads(
    heads: Integers,
    accuracy: Floats,
    classes: Sequence[str],
    *,
    title: str,
    deviations: Floats | None = None,
    width: float = PAGE,
) -> "Figure":
    """Each class's accuracy (heads, classes) against the number of heads, and their mean."""
    with style():
        figure, ((panel,),) = new_figure(1, 1, width, 4.0, title)
        order = np.argsort(-accuracy.mean(axis=0))
        for rank, number in enumerate(order):
            spread = None if deviations is None else np.nan_to_num(deviations[:, number])
            panel.errorbar(
                heads, accuracy[:, number], yerr=spread, color=colour(rank), linewidth=1,
                marker=marker(rank), markersize=4, capsize=2,
                label=classes[number],
            )  # fmt: skip
        panel.plot(heads, accuracy.mean(axis=1), color="black", linewidth=2.2, label="mean")
        panel.set_xticks(heads)
        panel.set_xlabel("attention heads")
        panel.set_ylabel("test accuracy")
        figure.legend(loc="outside right center", title="class, best first")
        return figure


def class_probabilities(
    pixels: NDArray[np.uint8],
    probabilities: Floats,
    classes: Sequence[str],
    truth: int | None,
    *,
    title: str,
    width: float = PAGE,
) -> "Figure":
    """The image and every class's probability (classes,), the true one in another colour."""
    with style():
        figure, ((image, bars),) = new_figure(
            1, 2, min(width, 5.4), max(2.0, 0.6 + 0.2 * len(classes)), title, width_ratios=(1, 1.8)
        )
        photo(image, pixels)
        picture(image)
        ticks = np.arange(len(classes))
        colours = [CHOSEN if number == truth else colour(0) for number in ticks]
        bars.barh(ticks, probabilities, color=colours)
        for tick, probability in enumerate(probabilities):
            bars.text(probability + 0.01, tick, f"{probability:.3f}", va="center", fontsize=7)
        bars.set_yticks(ticks, classes)
        bars.invert_yaxis()
        bars.set_xlim(0, 1.12)
        bars.set_xlabel("probability" if truth is None else f"probability; true: {classes[truth]}")
        return figure
