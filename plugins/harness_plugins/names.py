"""Names of files as text that can be stored and printed, no two alike."""

import os
import re

# What a byte that is not UTF-8 is written as.
ESCAPED = re.compile(r"\\x[89a-f][0-9a-f]")


def text_of(name: str | os.PathLike[str]) -> str:
    r"""A file's name or path, in which bytes that are not UTF-8 are written `\xe9`.

    Distinct names have distinct texts: where there is such a byte, or a name that looks as if,
    every backslash is doubled.
    """
    encoded = os.fsencode(name)
    text = encoded.decode("utf-8", "backslashreplace")
    if ESCAPED.search(text):
        return encoded.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
    return text
