"""Figures that a notebook shows as they are, whether or not it uses pyplot."""

import io

from matplotlib.figure import Figure

from harness.views.figures.files import write_png

DOTS_PER_INCH = 100


class NotebookFigure(Figure):
    """A figure that belongs to no window."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        write_png(self, picture, DOTS_PER_INCH)
        return picture.getvalue()
