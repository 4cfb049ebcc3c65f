"""Plain text as Markdown."""

import re
from collections.abc import Iterable, Sequence

SPECIAL = re.compile(r"([\\*_\[\]<>|{}#~$])")
CODE = re.compile(r"(`[^`\n]*`)")


def escaped(text: str) -> str:
    """Text in which only what stands in backquotes is markup."""
    parts = CODE.split(text)
    # Backquotes alternate: every second part is code.
    return "".join(
        part.replace("|", r"\|") if index % 2 else SPECIAL.sub(r"\\\1", part).replace("`", r"\`")
        for index, part in enumerate(parts)
    )


def code(text: str) -> str:
    """A short text as code, also in a cell of a table."""
    barred = text.replace("|", r"\|")
    return f"`{barred}`" if text else ""


def paragraphs(text: str) -> str:
    """A docstring's text, paragraph by paragraph."""
    found = (" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text))
    return "\n\n".join(map(escaped, filter(None, found)))


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown; "" if it has no rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(headings)} |", "|---" * len(headings) + "|", *lines])


def joined(parts: Iterable[str]) -> str:
    """Parts of a page, with an empty line between those that are not empty."""
    return "\n\n".join(filter(None, parts))
