"""Public names that are imported from their modules when they are first used."""

import importlib

# As in `harness`, which imports this: nothing that a user's file could shadow.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def attach(
    package: str, homes: "Mapping[str, str]"
) -> "tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]":
    """Return the `__getattr__`, `__dir__` and `__all__` of a module with these public names.

    `homes` lists the names, separated by spaces, by the module that defines them.
    """
    home_of = {name: module for module, names in homes.items() for name in names.split()}
    names = sorted(home_of)

    def get(name: str) -> "Any":
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(home_of[name]), name)

    return get, lambda: names, names
