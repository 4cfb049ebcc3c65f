"""Text that fits a width: lines break between words, and what is too long is shortened with …."""

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len

MORE = "…"
# A number stays with its percent sign, and with the sign before it.
CUT_AFTER = re.compile(r"[0-9.][0-9.]")
LAST_DIGITS = re.compile(r"[0-9.]+$")
FIRST_DIGITS = re.compile(r"^[0-9.]+")
BREAKS = re.compile(r"(?<![<>=≤≥+−]) +(?!%)")


def shortened(text: str, width: int, kept: float = 1 / 3) -> str:
    """The text in at most so many characters; `kept` is the share of its beginning.

    The rest is of its end, where names of one kind usually differ.

    >>> shortened("one-layer-vit[checkpoint=flowers-twelve-heads]", 20)
    'one-la…twelve-heads]'
    """
    if cell_len(text) <= width:
        return text
    head = round((width - 1) * kept)
    beginning = _fitting(text, head)
    end = _fitting(text[::-1], width - 1 - cell_len(beginning))[::-1]
    # What is left of a number would be another one.
    if CUT_AFTER.match(text, max(len(beginning) - 1, 0)):
        beginning = LAST_DIGITS.sub("", beginning)
    if CUT_AFTER.match(text, len(text) - len(end) - 1):
        end = FIRST_DIGITS.sub("", end)
    return f"{beginning}{MORE}{end}"


def distinct(texts: Sequence[str], width: int) -> list[str]:
    """The texts shortened where most of them still differ: between their ends, or at one of them.

    >>> distinct(["/data/a/maps-of-layer-1", "/data/b/maps-of-layer-1"], 12)
    ['/data/a/map…', '/data/b/map…']
    """
    ways = [[shortened(text, width, kept) for text in texts] for kept in (1 / 3, 0.0, 1.0)]
    # Where all texts begin alike, what follows is kept.
    first, last = min(texts, default=""), max(texts, default="")
    pairs = enumerate(zip(first, last, strict=False))
    same = next((at for at, (one, other) in pairs if one != other), 0)
    ways.append([shortened(f"{MORE}{text[same:]}", width, 1.0) for text in texts])
    return max(ways, key=lambda way: len(set(way)))


def wrapped(text: str, width: int) -> list[str]:
    """The lines of a text, broken between words; a longer word is shortened."""
    return [line for paragraph in text.split("\n") for line in _lines(paragraph, width)]


def _lines(paragraph: str, width: int) -> Iterator[str]:
    indent = paragraph[: len(paragraph) - len(paragraph.lstrip(" "))][: width // 2]
    line, is_empty = indent, True
    for word in BREAKS.split(paragraph.strip(" ")):
        whole = shortened(word, width - len(indent))
        if not is_empty and cell_len(line) + 1 + cell_len(whole) > width:
            yield line
            line, is_empty = indent, True
        line, is_empty = line + whole if is_empty else f"{line} {whole}", False
    yield line


def _fitting(text: str, width: int) -> str:
    """The longest beginning of a text that fits."""
    used = 0
    for at, character in enumerate(text):
        used += cell_len(character)
        if used > width:
            return text[:at]
    return text
