"""Files of figures: PNG, PDF and SVG, the same bytes for the same figure, and their names."""

import hashlib
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from harness.errors import HarnessError, escape_controls
from harness.views.figures.style import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 200
DEFAULT_FORMATS = ("png", "svg")
# Most bytes of an image's name in the names of its files.
LONGEST = 120
# What the names of files have for characters that quote would leave, or make hard to read.
_WRITTEN = {"/": "~", "~": "%7E", ".": "%2E"}


def save(
    figure: "Figure", folder: Path, name: str, formats: Sequence[str] = DEFAULT_FORMATS
) -> list[Path]:
    """Write FOLDER/NAME.FORMAT for each format, of png, pdf and svg, and return these paths."""
    paths = []
    for each in formats:
        path = folder / f"{name}.{each}"
        try:
            _WRITERS[each](figure, path)
        except OSError as error:
            raise HarnessError(f"{folder}: cannot be written to: {error.strerror}") from error
        paths.append(path)
    return paths


def write_png(
    figure: "Figure", target: Path | IO[bytes], dots_per_inch: int = DOTS_PER_INCH
) -> None:
    """Write a figure as PNG."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with _writing(figure):
        # print_figure would draw everything twice, the first time for the layout alone.
        usual, figure.dpi = figure.dpi, dots_per_inch
        # Matplotlib leaves these methods untyped.
        canvas: Any = FigureCanvasAgg(figure)
        canvas.print_png(target, metadata={"Software": None})
        figure.dpi = usual


def write_svg(figure: "Figure", target: Path) -> None:
    """Write a figure as SVG, with its texts as text."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    with _writing(figure):
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(target, metadata={"Date": None})


def write_pdf(figure: "Figure", target: Path) -> None:
    """Write a figure as PDF, with its fonts."""
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    with _writing(figure):
        canvas: Any = FigureCanvasPdf(figure)
        canvas.print_pdf(target, metadata={"CreationDate": None})


_WRITERS = {"png": write_png, "pdf": write_pdf, "svg": write_svg}


@contextmanager
def _writing(figure: "Figure") -> Iterator[None]:
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
    """A file name that only this text has: `roses/1 a.jpg` is `roses~1%20a.jpg`.

    A slash becomes `~`, which URLs and shells take as it is. Other special characters, `~` and `%`
    among them, are encoded as in URLs. A long name is cut, and a digest of the text follows.
    """

    def written(found: re.Match[str]) -> str:
        character = found[0]
        return _WRITTEN.get(character) or quote(character, "", errors="surrogateescape")

    encoded = re.sub(r"^\.|[^\w.-]", written, text)
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
