"""Objects as JSON, for worker processes: what can be imported is sent by module and name.

Nothing is pickled. What was defined in a notebook or an interactive session has no module that
another process could import, and is not portable.
"""

import importlib
import math
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import HarnessError, reason_of
from harness.objects.adapter import own_parameters

MAIN = "__main__"


class NotPortableError(Exception):
    """An object that another process cannot make; the message says why."""


def encode(value: Any) -> Any:
    """Return a value as JSON-able values; raises NotPortableError if that is not possible."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": repr(value)}
    if isinstance(value, list | tuple):
        return {"sequence": type(value).__name__, "values": [encode(each) for each in value]}
    if isinstance(value, Path):
        return {"path": str(value)}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {"mapping": {key: encode(each) for key, each in value.items()}}
    if isinstance(value, partial) and not value.args:
        return {"partial": encode(value.func), "keywords": encode(value.keywords)}
    if is_dataclass(value) and not isinstance(value, type):
        parameters = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
        return {"class": encode(type(value)), "keywords": encode(parameters)}
    if hasattr(value, "get_params") and not isinstance(value, type):
        return {"class": encode(type(value)), "keywords": encode(own_parameters(value))}
    return _reference(value)


def decode(message: Any) -> Any:
    """Return the value that `encode` returned as JSON; raises ImportError if a module is gone."""
    match message:
        case {"sequence": kind, "values": values}:
            return {"list": list, "tuple": tuple}[kind](map(decode, values))
        case {"float": text}:
            return float(text)
        case {"path": text}:
            return Path(text)
        case {"mapping": values}:
            return {key: decode(each) for key, each in values.items()}
        case {"partial": function, "keywords": keywords}:
            return partial(decode(function), **decode(keywords))
        case {"class": made, "keywords": keywords}:
            return decode(made)(**decode(keywords))
        case {"module": module, "name": name, "folder": folder}:
            return _imported(module, name, folder)
    return message


def decoded(message: Any) -> Any:
    """Return what `decode` returns; raises HarnessError, with the reason, if that fails."""
    try:
        return decode(message)
    except Exception as error:  # a module of the user's may raise anything
        raise HarnessError(f"an object cannot be imported again: {reason_of(error)}") from error


def _reference(value: Any) -> dict[str, str]:
    """The module and the name of a class or function, and the folder that has the module."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if module is None or name is None:
        raise NotPortableError(f"it holds a value of type {type(value).__name__}")
    if module == MAIN:
        raise NotPortableError("defined in this session")
    try:
        is_found = _attribute(sys.modules.get(module), name) is value
    except AttributeError:
        is_found = False
    if not is_found:
        raise NotPortableError(f"no name in {module}")
    return {"module": module, "name": name, "folder": str(_folder_of(module))}


def _folder_of(module: str) -> Path:
    """The folder from which a module's top-level package is imported, "." if it has no file."""
    file = getattr(sys.modules[module], "__file__", None)
    if file is None:
        return Path()
    parts = module.split(".")
    path = Path(file)
    path = path.parent if path.name == "__init__.py" else path.with_suffix("")
    if not file.endswith(".py"):  # compiled, with the platform in its name
        return path.parents[len(parts) - 1]
    if path.parts[-len(parts) :] != tuple(parts):
        raise NotPortableError(f"{file} cannot be imported as {module}")
    return path.parents[len(parts) - 1]


def _imported(module: str, name: str, folder: str) -> Any:
    # Last, so that no file of the user's replaces a module of a library.
    if folder not in (".", *sys.path):
        sys.path.append(folder)
    return _attribute(importlib.import_module(module), name)


def _attribute(owner: Any, name: str) -> Any:
    for part in name.split("."):
        owner = getattr(owner, part)
    return owner
