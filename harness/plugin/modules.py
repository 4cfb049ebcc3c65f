"""Modules of plugin paths, for components that call a function of the user's."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from harness.errors import HarnessError
from harness.plugin.component import Component
from harness.plugin.recorded import digest_of

# By name, those of the latest paths: several if files in several folders have one name.
_MODULES: dict[str, list["PluginModule"]] = {}


@dataclass(frozen=True)
class PluginModule:
    """A module, and the file or package folder that it was imported from."""

    module: ModuleType
    path: Path

    @property
    def digest(self) -> str:
        """SHA-256 of its file, or of all Python files of its folder."""
        return digest_of(self.path)


def plugin_module(name: str) -> PluginModule:
    """Return the module of a file `NAME.py` or a folder `NAME` that was given as a plugin.

    The file need not implement a hook.

    Parameters
    ----------
    name
        The file's name without its ending, or the folder's.

    Returns
    -------
    PluginModule
        Its `module`, and the `digest` of its code.

    Raises
    ------
    HarnessError
        If no such path was given or it cannot be imported, or if several were given.

    Examples
    --------
    >>> harness.plugin_module("my_models")
    Traceback (most recent call last):
    ...
    harness.errors.HarnessError: no module 'my_models' was loaded; give my_models.py as a plugin
    """
    found = _MODULES.get(name, [])
    if not found:
        raise HarnessError(f"no module {name!r} was loaded; give {name}.py as a plugin")
    if len(found) > 1:
        paths = " and ".join(str(each.path) for each in found)
        raise HarnessError(f"module {name!r} is {paths}; rename one or leave it out")
    return found[0]


def forget(path: Path) -> None:
    """Forget the modules of a path's name, before it is imported anew."""
    _MODULES.pop(path.stem, None)


def remember(path: Path, module: ModuleType) -> None:
    """Make a module available by the name of its path."""
    _MODULES.setdefault(path.stem, []).append(PluginModule(module, path))


def is_plain(module: object) -> bool:
    """Whether a module without hooks is meant to be one: it defines something, but no component."""
    name = getattr(module, "__name__", "")
    own = [
        value
        for value in vars(module).values()
        if (inspect.isfunction(value) or inspect.isclass(value))
        and (value.__module__ or "").startswith(name)
    ]
    return bool(own) and not any(map(_belongs_to_plugin, own))


def _belongs_to_plugin(value: Callable[..., object]) -> bool:
    """Whether it is a component, or a function that was meant to be a hook."""
    is_component = inspect.isclass(value) and issubclass(value, Component)
    return is_component or value.__name__.startswith("harness_")
