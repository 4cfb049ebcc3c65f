"""Panels of pictures of one size, in as many rows as a width asks for."""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.views.figures.patched import Patched
from harness.views.figures.style import (
    COLUMN,
    LETTER,
    SMALL,
    TALLEST,
    balanced,
    inches_of,
    new_figure,
    picture,
    wrapped,
)

# Least inches of a picture with what is between two of them, and of what is between them.
LEAST, GAP = 1.65, 0.1


@dataclass(frozen=True)
class Pictures:
    """How a number of pictures are laid out: rows, columns, and a picture's inches."""

    rows: int
    columns: int
    side: float
    height: float

    @classmethod
    def within(cls, width: float, count: int, on: Patched) -> "Pictures":
        """As many in a row as a width has room for; flat pictures are wider."""
        across = max(1, int(width / on.wide(LEAST)))
        rows, columns = balanced(count, across)
        side = min(width / columns, COLUMN) - GAP
        return cls(rows, columns, side, side * on.ratio)

    def panels(
        self, titles: Sequence[str], *, title: str, legend_lines: int = 0
    ) -> tuple[Figure, Sequence[Axes]]:
        """A panel without axes for each title, with room for a legend of so many lines below."""
        lines = [wrapped(each, self.side) for each in titles]
        legend = inches_of("\n" * (legend_lines - 1) + " ", SMALL) if legend_lines else 0.0
        high = self.height + max(map(inches_of, lines)) + legend + GAP
        width = self.columns * (self.side + GAP)
        figure, panels = new_figure(self.rows, self.columns, width, self.rows * high, title)
        for panel in panels.flat:
            picture(panel)
            # What the layout leaves over stays below, where the legend is.
            panel.set_anchor("N")
        for panel, text in zip(panels.flat, lines, strict=False):
            picture(panel, text)
        return figure, list(panels.flat[: len(titles)])

    def entries(self, letters: int) -> int:
        """How many entries of a legend, of so many letters, fit beside each other."""
        return max(1, int(self.side * 72 / (LETTER * SMALL * letters)))


def most_pictures(width: float, on: Patched, title_lines: int) -> int:
    """How many pictures fill a page of a width, under titles of so many lines."""
    row = Pictures.within(width, 99, on)
    high = row.height + inches_of("\n" * (title_lines - 1) + " ") + GAP
    return row.columns * max(1, int(TALLEST / high))
