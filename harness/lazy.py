"""Public names that are imported from their modules when they are first used."""

import importlib

# As in `harness`, which imports this: nothing that a user's file could shadow.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def attach(
    package: str, file: str
) -> "tuple[dict[str, str], Callable[[str], Any], Callable[[], list[str]], list[str]]":
    """Return the home of each public name, and a module's `__getattr__`, `__dir__` and `__all__`.

    The public names are those that the module's file imports for type checkers, a line each, as
    `from HOME import NAME as NAME`; this only reads those lines.
    """
    home_of = {}
    with open(file, encoding="utf-8") as lines:
        for line in lines:
            match line.split():
                case ["from", home, "import", name, "as", alias] if name == alias:
                    home_of[name] = home

    def get(name: str) -> "Any":
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(home_of[name]), name)

    names = sorted(home_of)
    return home_of, get, lambda: names, names
