"""What all figures share: widths, fonts, titles, legends and photos."""

import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Inches of a journal's column and of its page. No figure is wider, so that none has to be reduced.
COLUMN, PAGE = 3.4, 7.0
WIDTHS = {"column": COLUMN, "page": PAGE}
# Most inches of a figure whose panels fill rows: those of a page.
TALLEST = 9.0
# Points of the texts; none is smaller than the last.
TITLE, TEXT, SMALL = 9, 8, 7
# Inches of a line of text, for each of its points.
LINE = 1.25 / 72
# The mean width of a letter, in points for each point of its size.
LETTER = 0.57
# Most pixels of an image's longer side that are drawn.
LARGEST = 1000
# Matplotlib types its settings as a dictionary with hundreds of literal keys.
SETTINGS: Any = {
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": SMALL,
    "legend.title_fontsize": SMALL,
    "legend.frameon": False,
    "figure.titlesize": TITLE,
    "image.interpolation": "nearest",
    # Overlaid images are written separately, so that sharp ones stay sharp.
    "image.composite_image": False,
    # Names of images and classes may contain $.
    "text.parse_math": False,
    # Text stays text.
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    # Fixed, so that files are reproducible.
    "svg.hashsalt": "attention-harness",
}


@contextmanager
def style() -> Iterator[None]:
    """Draw and write figures with the shared settings, and restore the old ones afterwards.

    No others count, such as those of a matplotlibrc in the working folder.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(SETTINGS)
        yield


def new_figure(
    rows: int, columns: int, width: float, height: float, title: str, **grid: Any
) -> tuple["Figure", NDArray[Any]]:
    """A figure with panels (rows, columns) below a title.

    It is `width` inches wide; its panels with what stands around them are `height` inches high.
    """
    # Tables and cluster maps in the terminal need the colours alone.
    from harness.views.figures.notebook import NotebookFigure

    lines = wrapped(title, width, TITLE)
    size = width, height + inches_of(lines, TITLE)
    figure = NotebookFigure(figsize=size, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, **grid)
    figure.suptitle(lines)
    return figure, np.asarray(panels)


def balanced(count: int, most: int) -> tuple[int, int]:
    """Rows and columns for a number of panels, as few rows as possible and then columns."""
    rows = -(-count // max(1, most))
    return rows, -(-count // rows)


def wrapped(text: str, width: float, points: int = TEXT) -> str:
    """The text in lines that fit a width in inches; its own lines stay apart."""
    letters = max(12, int(width * 72 / (LETTER * points)))
    lines = [line for own in text.split("\n") for line in textwrap.wrap(own, letters)]
    return "\n".join(lines) or text


def inches_of(text: str, points: int = TEXT) -> float:
    """The height of some lines of text, with the space above or below them."""
    return (text.count("\n") + 1) * points * LINE + 0.06 if text else 0.0


def picture(panel: "Axes", title: str = "") -> None:
    """Turn off the axes of a panel, and set its title."""
    panel.set_axis_off()
    if title:
        panel.set_title(title)


def legend_below(figure: "Figure", panels: Sequence["Axes"], *more: "Artist") -> None:
    """Explain what is drawn in some panels, and more, below the figure, which grows by the lines.

    Labels that recur stand once.
    """
    drawn = [panel.get_legend_handles_labels() for panel in panels]
    entries = {label: line for of in drawn for line, label in zip(*of, strict=True)}
    entries |= {str(each.get_label()): each for each in more}
    width, height = figure.get_size_inches()
    # A handle and the gaps are as wide as six letters.
    letters = max(map(len, entries), default=0) + 6
    rows, columns = balanced(len(entries), int(width * 72 / (LETTER * SMALL * letters)))
    figure.set_size_inches(width, height + inches_of("\n" * (rows - 1) + " ", SMALL))
    figure.legend(entries.values(), entries.keys(), loc="outside lower center", ncols=columns)


def photo(panel: "Axes", pixels: NDArray[np.uint8], *, grey: bool = False) -> None:
    """Draw pixels (height, width, 1 or 3); in light grey, colours over it keep their hue."""
    height, width, _ = pixels.shape
    drawn = bounded(pixels)
    drawn = np.repeat(drawn, 3, axis=2) if drawn.shape[2] == 1 else drawn
    if grey:
        drawn = (255 * 0.35 + 0.65 * drawn.mean(axis=2, keepdims=True)).repeat(3, axis=2) / 255
    # "auto" keeps enlarged pixels sharp and averages reduced ones.
    panel.imshow(drawn, extent=(0, width, height, 0), interpolation="auto")


def bounded(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pixels (height, width, channels), reduced if a side has more than LARGEST."""
    height, width, channels = pixels.shape
    scale = LARGEST / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    image = Image.fromarray(pixels if channels == 3 else pixels[:, :, 0])
    smaller = np.asarray(image.resize(size, Image.Resampling.BOX))
    return smaller.reshape(size[1], size[0], channels)
