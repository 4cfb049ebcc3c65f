"""What all figures share: fonts, sizes, photos, and how to save."""

import hashlib
import re
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from harness.errors import HarnessError, escape_controls

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 150
# Most bytes of an image's name in the names of its files.
LONGEST = 120
# Most pixels of an image's longer side that are drawn.
LARGEST = 1000
# Matplotlib types its settings as a dictionary with hundreds of literal keys.
SETTINGS: Any = {
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.titlesize": 11,
    "image.interpolation": "nearest",
    # Overlaid images are written separately, so that sharp ones stay sharp.
    "image.composite_image": False,
    # Names of images and classes may contain $.
    "text.parse_math": False,
    "svg.fonttype": "none",
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
    """A figure of width × height inches with panels (rows, columns) and a title."""
    # Tables and cluster maps in the terminal need the colours alone.
    from harness.views.figures.notebook import NotebookFigure

    figure = NotebookFigure(figsize=(width, height), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, **grid)
    figure.suptitle(wrapped(title, width))
    return figure, np.asarray(panels)


def wrapped(text: str, width: float) -> str:
    """The text in lines that fit a width in inches."""
    return "\n".join(textwrap.wrap(text, max(12, int(width * 12)))) or text


def picture(panel: "Axes", title: str = "") -> None:
    """Turn off the axes of a panel, and set its title."""
    panel.set_axis_off()
    if title:
        panel.set_title(title)


def legend_below(figure: "Figure", panels: Sequence["Axes"], columns: int) -> None:
    """Explain what is drawn in some panels below the figure; labels that recur stand once."""
    drawn = [panel.get_legend_handles_labels() for panel in panels]
    entries = {label: line for of in drawn for line, label in zip(*of, strict=True)}
    figure.legend(
        entries.values(), entries.keys(), loc="outside lower center", ncols=columns, fontsize=8
    )


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


def save(figure: "Figure", folder: Path, name: str) -> list[Path]:
    """Write FOLDER/NAME.png and FOLDER/NAME.svg, and return these paths."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    png, svg = folder / f"{name}.png", folder / f"{name}.svg"
    try:
        write_png(figure, png)
        with writing(figure):
            # Matplotlib leaves this method untyped.
            canvas: Any = FigureCanvasSVG(figure)
            canvas.print_svg(svg, metadata={"Date": None})
    except OSError as error:
        raise HarnessError(f"{folder}: cannot be written to: {error.strerror}") from error
    return [png, svg]


def write_png(
    figure: "Figure", target: Path | IO[bytes], dots_per_inch: int = DOTS_PER_INCH
) -> None:
    """Write a figure as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with writing(figure):
        # print_figure would draw everything twice, the first time for the layout alone.
        usual, figure.dpi = figure.dpi, dots_per_inch
        canvas: Any = FigureCanvasAgg(figure)
        canvas.print_png(target, metadata={"Software": None})
        figure.dpi = usual


@contextmanager
def writing(figure: "Figure") -> Iterator[None]:
    """A context in which a figure can be written, whatever characters its texts have."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        # Names of images may hold characters that SVG does not allow.
        if isinstance(text, Text) and not text.get_text().isprintable():
            text.set_text(escape_controls(text.get_text()))
    with style(), warnings.catch_warnings():
        # Matplotlib's font lacks some scripts; a box stands for such a character.
        warnings.filterwarnings("ignore", "Glyph .* missing", UserWarning)
        yield


def file_name(text: str) -> str:
    """A file name that only this text has; special characters are encoded as in URLs."""
    encoded = re.sub(
        r"^\.|[^\w.-]",
        lambda found: "%2E" if found[0] == "." else quote(found[0], "", errors="surrogateescape"),
        text,
    )
    if len(encoded.encode()) <= LONGEST:
        return encoded
    digest = hashlib.sha256(text.encode(errors="surrogateescape")).hexdigest()[:12]
    return f"{encoded.encode()[:LONGEST].decode(errors='ignore')}~{digest}"


def file_names(names: Sequence[str]) -> list[str]:
    """A file name for each, no two alike."""
    found: list[str] = []
    for each in names:
        plain = re.sub(r"[^\w.-]+", "-", each, flags=re.ASCII).strip("-") or "partition"
        numbered = (plain, *(f"{plain}-{number}" for number in range(2, len(names) + 1)))
        taken = {name.casefold() for name in found}
        found.append(next(name for name in numbered if name.casefold() not in taken))
    return found
