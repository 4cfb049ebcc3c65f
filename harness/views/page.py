"""What is printed to a console, as text or as HTML for notebooks: one description serves both."""

import io
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from rich.console import Console
from rich.style import Style
from rich.terminal_theme import DEFAULT_TERMINAL_THEME

# A prompt that is no terminal has no width of its own, unless COLUMNS gives one.
SIZE = (120, 24)
# Characters of a line on a page; tables there are as wide as they are.
WIDTH = 120
PRE = "line-height:1.1;font-family:monospace;white-space:pre;overflow-x:auto;margin:.5em 0"
Show = Callable[[Console], None]


@dataclass(frozen=True)
class PageColumn:
    """A column of a table on a page: a text and a rich style for each row."""

    heading: str
    meaning: str
    words: bool
    texts: Sequence[str]
    styles: Sequence[str]


class Page(Console):
    """A console that keeps what is printed as HTML: no scripts, and every text is escaped."""

    def __init__(self) -> None:
        super().__init__(
            record=True, file=io.StringIO(), width=WIDTH, highlight=False, force_jupyter=False
        )
        self._parts: list[str] = []

    def add_text(self, text: str, style: str = "") -> None:
        """Add lines of text."""
        lines = escape(text.strip("\n")).replace("\n", "<br>")
        self._add(f'<div style="{_css(style)}">{lines}</div>')

    def add_table(self, columns: Sequence[PageColumn]) -> None:
        """Add a table; the meaning of a column is shown where the mouse rests on its heading."""
        head = "".join(map(_heading, columns))
        body = "".join(
            f"<tr>{''.join(_cell(column, at) for column in columns)}</tr>"
            for at in range(max((len(each.texts) for each in columns), default=0))
        )
        self._add(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")

    def html(self) -> str:
        """All that was printed."""
        self._keep_printed()
        return f"<div>{''.join(self._parts)}</div>"

    def _add(self, part: str) -> None:
        self._keep_printed()
        self._parts.append(part)

    def _keep_printed(self) -> None:
        """Pictures of characters keep their lines."""
        printed = self.export_html(inline_styles=True, code_format="{code}")
        if printed.strip():
            self._parts.append(f'<pre style="{PRE}">{printed.rstrip()}</pre>')


def as_html(show: Show) -> str:
    """What a function prints, as HTML."""
    page = Page()
    show(page)
    return page.html()


def as_text(show: Show, width: int | None = None) -> str:
    """What a function prints, as text no wider than the terminal, or than so many characters."""
    file = io.StringIO()
    of_terminal, height = shutil.get_terminal_size(SIZE)
    # In a notebook rich would show what is printed, instead of writing it to the file.
    show(
        Console(
            file=file,
            width=max(1, of_terminal if width is None else width),
            height=height,
            highlight=False,
            force_jupyter=False,
            color_system=None,
        )
    )
    return "\n".join(line.rstrip() for line in file.getvalue().strip("\n").split("\n"))


def _heading(column: PageColumn) -> str:
    meaning, heading = escape(column.meaning), escape(column.heading)
    return f'<th title="{meaning}" style="{_aligned(column)}">{heading}</th>'


def _cell(column: PageColumn, row: int) -> str:
    text = escape(column.texts[row]).replace("\n", "<br>")
    return f'<td style="{_aligned(column)};{_css(column.styles[row])}">{text}</td>'


def _aligned(column: PageColumn) -> str:
    return f"text-align:{'left' if column.words else 'right'}"


def _css(style: str) -> str:
    return Style.parse(style).get_html_style(DEFAULT_TERMINAL_THEME)
