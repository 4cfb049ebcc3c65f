"""TOML that users write."""

import tomllib
from typing import Any


def parse_toml(text: str) -> dict[str, Any]:
    """Return the values of a TOML document; raises ValueError if it is none.

    >>> parse_toml("levels = " + "[" * 5000)
    Traceback (most recent call last):
    ...
    ValueError: its lists or tables are nested too deeply
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("its lists or tables are nested too deeply") from None
