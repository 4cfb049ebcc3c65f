"""Digests of code and of the objects that it uses: what a component's results depend on.

A component of a module is identified by its files. Objects of a notebook or an interactive session
have none: functions are identified by their compiled code, without comments, layout and line
numbers, and by the values that they use: defaults, closures, and the global variables that they
name, followed through functions and classes. What belongs to an installed package counts by its
name and the package's version.
"""

import copyreg
import dis
import hashlib
import json
import os
import sys
import types
from collections.abc import Iterator, Mapping, Set
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from harness.objects.adapter import Adapter
from harness.objects.tensors import array_of, is_array
from harness.planning.identity import INTERFACE, files_behind, files_digest, source_files
from harness.plugin.component import Component
from harness.plugin.values import digest_of

MAIN = "__main__"
INSTALLED = {"site-packages", "dist-packages"}
STANDARD = Path(os.__file__).parent
# Names of a class that say nothing about what it does, or follow from others.
IRRELEVANT = {
    "__dict__",
    "__weakref__",
    "__module__",
    "__doc__",
    "__firstlineno__",
    "__static_attributes__",
    "__dataclass_fields__",
    "__abstractmethods__",
    "_abc_impl",
}
GLOBALS = ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")
# Attributes that compiled classes define.
DESCRIPTORS = types.GetSetDescriptorType, types.MemberDescriptorType
# Stands for what cannot be identified by its content: it differs in every process.
PROCESS = os.urandom(16).hex()


def code_digest(component: Component) -> str:
    """Return the SHA-256 of a component's code and, of an object, of its content."""
    return described(component)[0]


def described(component: Component) -> tuple[str, list[str]]:
    """The digest of `code_digest`, and the types of objects that cannot be identified."""
    owner = type(component)
    files = source_files(owner)
    is_local = owner.__module__ == MAIN or "<locals>" in owner.__qualname__
    if owner.__module__ in files and not is_local and not isinstance(component, Adapter):
        return files_digest(files), []
    content = _Content()
    if isinstance(component, Adapter):
        parts = [files_digest(files), content.of(component._content())]
    else:
        parts = [owner.__qualname__, content.of(owner)]
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return digest, list(dict.fromkeys(content.unknown))


class _Content:
    """Describes an object by JSON-able values that are equal in every process."""

    def __init__(self) -> None:
        self.unknown: list[str] = []
        # Functions, classes and modules by their number: they refer to each other in circles.
        self._numbers: dict[int, int] = {}
        # Other objects that are being described.
        self._open: list[int] = []

    def of(self, value: Any) -> Any:
        """What a value is, in JSON-able values."""
        if value is None or isinstance(value, bool | int | float | complex | str | bytes):
            return [type(value).__name__, repr(value)]
        if isinstance(value, np.generic) and not isinstance(plain := value.item(), np.generic):
            return self.of(plain)
        if is_array(value) and not isinstance(value, type):
            array = array_of(value)
            is_plain = not array.dtype.hasobject
            return ["array", digest_of(array)] if is_plain else self.of(array.tolist())
        if isinstance(value, types.ModuleType | type | types.FunctionType | types.CodeType):
            if id(value) in self._numbers:
                return ["again", self._numbers[id(value)]]
            self._numbers[id(value)] = len(self._numbers)
            return self._definition(value)
        if id(value) in self._open:
            return ["circle", len(self._open) - self._open.index(id(value))]
        self._open.append(id(value))
        try:
            return self._object(value)
        finally:
            self._open.pop()

    def _definition(self, value: Any) -> Any:
        if isinstance(value, types.CodeType):
            return self._code(value)
        module = value.__name__ if isinstance(value, types.ModuleType) else value.__module__
        if (version := _version(module)) is not None:
            return ["installed", module, getattr(value, "__qualname__", ""), version]
        if isinstance(value, types.ModuleType):
            return ["module", module, files_digest(files_behind([module]))]
        if isinstance(value, type):
            members = {name: each for name, each in vars(value).items() if name not in IRRELEVANT}
            return ["class", value.__qualname__, self._each(value.__bases__), self._named(members)]
        return self._function(value)

    def _function(self, function: types.FunctionType) -> Any:
        cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
        closed = {name: cell.cell_contents for name, cell in cells if _is_filled(cell)}
        used = {
            name: function.__globals__[name]
            for name in sorted(set(_global_names(function.__code__)))
            if name in function.__globals__
        }
        return [
            "function",
            self._code(function.__code__),
            self.of(function.__defaults__),
            self.of(function.__kwdefaults__),
            self._named(closed),
            self._named(used),
        ]

    def _code(self, code: types.CodeType) -> Any:
        names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
        numbers = code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags
        compiled = code.co_code.hex(), code.co_exceptiontable.hex()
        return ["code", *compiled, *map(list, names), *numbers, self._each(code.co_consts)]

    def _object(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            pairs = [[self.of(key), self.of(each)] for key, each in value.items()]
            return ["mapping", sorted(pairs, key=json.dumps)]
        if isinstance(value, Set):
            return ["set", sorted(self._each(value), key=json.dumps)]
        if isinstance(value, list | tuple):
            return [type(value).__name__, self._each(value)]
        if isinstance(value, partial):
            arguments = self._each(value.args), self._named(value.keywords)
            return ["partial", self.of(value.func), *arguments]
        if isinstance(value, types.MethodType | classmethod | staticmethod):
            return ["method", self.of(value.__func__), self.of(getattr(value, "__self__", None))]
        if isinstance(value, property):
            return ["property", self._each((value.fget, value.fset, value.fdel))]
        if isinstance(value, DESCRIPTORS):
            return ["descriptor", value.__name__]
        if isinstance(value, Path):
            return ["path", str(value)]
        if hasattr(value, "__wrapped__") and callable(value):
            return ["wrapped", self.of(type(value)), self.of(value.__wrapped__)]
        return self._state(value)

    def _state(self, value: Any) -> Any:
        """An object by what its class would make it from again."""
        try:
            if callable(getattr(value, "state_dict", None)):  # a model of torch
                return ["model", self.of(type(value)), self.of(value.state_dict())]
            if isinstance(value, Iterator):
                raise TypeError("to read it would change it")
            reduced = (
                copyreg.dispatch_table[type(value)](value)
                if type(value) in copyreg.dispatch_table
                else value.__reduce_ex__(2)
            )
            if isinstance(reduced, str):
                return ["named", self.of(type(value)), reduced]
            return ["object", *(self._listed(each) for each in reduced)]
        except Exception:  # an object may refuse in many ways
            self.unknown.append(type(value).__name__)
            return ["unknown", PROCESS, id(value)]

    def _listed(self, state: Any) -> Any:
        return self.of(list(state) if isinstance(state, Iterator) else state)

    def _each(self, values: Any) -> list[Any]:
        return [self.of(each) for each in values]

    def _named(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.of(values[name]) for name in sorted(values)}


def _global_names(code: types.CodeType) -> Iterator[str]:
    """The global names that a code and the functions in it load."""
    for step in dis.get_instructions(code):
        if step.opname in GLOBALS:
            yield step.argval
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield from _global_names(each)


def _is_filled(cell: types.CellType) -> bool:
    """Whether the variable of a closure has a value by now."""
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True


def _version(module: str) -> str | None:
    """The version of the package that a module belongs to; None if it is a user's own."""
    top = module.partition(".")[0]
    if top in sys.builtin_module_names:
        return ""
    package = sys.modules.get(top)
    file = getattr(package, "__file__", None) or next(iter(getattr(package, "__path__", ())), "")
    is_installed = Path(file).is_relative_to(STANDARD) or not INSTALLED.isdisjoint(Path(file).parts)
    if top != MAIN and (is_installed or top == INTERFACE):
        return str(getattr(package, "__version__", ""))
    return None
