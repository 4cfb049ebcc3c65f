"""The packages of the harness' extras, by pyproject.toml."""

import re
import tomllib
from collections.abc import Mapping, Sequence

from support import REPOSITORY

EXTRAS: Mapping[str, Sequence[str]] = tomllib.loads(
    (REPOSITORY / "pyproject.toml").read_text("utf-8")
)["project"]["optional-dependencies"]


def packages(extra: str) -> set[str]:
    """Give the names of all packages that an extra asks for, by itself or by other extras."""
    found: set[str] = set()
    for requirement in EXTRAS[extra]:
        name, named = re.fullmatch(r"([\w-]+)(?:\[(.*)\])?.*", requirement).groups()  # type: ignore[union-attr]
        if name != "attention-harness":
            found.add(name)
        for other in (named or "").split(","):
            found |= packages(other) if other else set()
    return found
