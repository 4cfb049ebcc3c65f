"""Arguments of the Python interface: converted to their annotated types, or refused in one line.

numpy's numbers are numbers, one name is a list of one, and whatever else does not fit its
annotation is refused with the argument's name.
"""

import dataclasses
import functools
import inspect
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from numbers import Integral, Real
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

import numpy as np

from harness.errors import HarnessError, WrongValueError, refuse_unknown

P = ParamSpec("P")
T = TypeVar("T")

# Characters of a refused value that an error message shows.
SHOWN = 80
WORDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Path: "a path",
}


def checked(function: Callable[P, T]) -> Callable[P, T]:
    """The function, which converts its arguments to their annotated types or refuses them.

    Raises WrongValueError for a wrong type, an unknown keyword, a missing or surplus argument, and
    HarnessError for a path that the system refuses, such as one with too long a name.
    """
    signature = inspect.signature(function)
    names = [name for name in signature.parameters if name != "self"]
    called = function.__qualname__.removesuffix(".__init__")
    takes_any = any(each.kind is each.VAR_KEYWORD for each in signature.parameters.values())

    @functools.wraps(function)
    def call(*arguments: P.args, **keywords: P.kwargs) -> T:
        for name in keywords if not takes_any else ():
            refuse_unknown(f"{called} has no keyword", [name], names, "it has")
        try:
            bound = signature.bind(*arguments, **keywords)
        except TypeError as error:
            raise WrongValueError(f"{called}: {error}") from None
        for name, value in bound.arguments.items():
            parameter = signature.parameters[name]
            if name != "self" and parameter.kind is not parameter.VAR_KEYWORD:
                hint = parameter.annotation
                hint = Any if hint is parameter.empty else hint
                # A name under TYPE_CHECKING is that of an array, which the function checks.
                hint = function.__globals__.get(hint, Any) if isinstance(hint, str) else hint
                bound.arguments[name] = convert(name, value, hint)
        try:
            return function(*bound.args, **bound.kwargs)
        except OSError as error:
            if error.filename is None:
                raise
            raise HarnessError(f"{error.filename}: {error.strerror}") from error

    return call


def checked_class(owner: type[T]) -> type[T]:
    """The class, whose constructor and public methods are `checked`."""
    for name, method in list(vars(owner).items()):
        if inspect.isfunction(method) and (name == "__init__" or not name.startswith("_")):
            setattr(owner, name, checked(method))
    return owner


def convert_fields(value: Any) -> None:
    """Convert the fields of a frozen dataclass in place; raises WrongValueError if one is wrong."""
    hints = typing.get_type_hints(type(value))
    for field in dataclasses.fields(value):
        if not field.init:
            continue
        given = getattr(value, field.name)
        object.__setattr__(value, field.name, convert(field.name, given, hints[field.name]))


def convert(name: str, value: Any, hint: Any) -> Any:
    """An argument as its annotated type; raises WrongValueError, which names it, for another."""
    try:
        return converted(value, hint)
    except (ValueError, OverflowError):
        raise WrongValueError(f"{name}: expected {_words(hint)}, not {shown(value)}") from None


def shown(value: Any) -> str:
    """The value in one short line."""
    try:
        line = " ".join(repr(value).split())
    except ValueError:  # an integer of thousands of digits
        line = f"such a large {type(value).__name__}"
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}…"


def several_values(value: Any) -> list[Any]:
    """One value or several as a list; sets are sorted, as their order differs between processes.

    >>> several_values("louvain"), several_values({"b", "a"}), several_values(range(2))
    (['louvain'], ['a', 'b'], [0, 1])
    """
    is_one = isinstance(value, str | bytes | Path | Mapping) or not isinstance(value, Iterable)
    if is_one or (isinstance(value, np.ndarray) and not value.ndim):
        return [value]
    return sorted(value, key=str) if isinstance(value, Set) else list(value)


def converted(value: Any, hint: Any) -> Any:
    """The value as the type; raises ValueError if it has another."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return None if value is None and type(None) in inner else _first_that_fits(value, inner)
    if origin is Literal:
        if value in inner:
            return inner[inner.index(value)]
    elif origin is tuple:
        return _converted_tuple(value, inner)
    elif origin in (Sequence, Iterable):
        return tuple(converted(each, inner[0]) for each in several_values(value))
    elif origin is Mapping:
        if isinstance(value, Mapping):
            return {converted(k, inner[0]): converted(v, inner[1]) for k, v in value.items()}
    elif hint in _SCALARS:
        accepted, make = _SCALARS[hint]
        if isinstance(value, accepted) and (hint is bool or not isinstance(value, bool | np.bool_)):
            return make(value)
    elif hint is Any or not isinstance(hint, type) or isinstance(value, hint):
        return value
    raise ValueError


_SCALARS: Mapping[Any, tuple[Any, Callable[[Any], Any]]] = {
    bool: (bool | np.bool_, bool),
    int: (Integral, int),
    float: (Real, float),
    str: (str, str),
    Path: (str | Path, Path),
}


def _first_that_fits(value: Any, hints: Sequence[Any]) -> Any:
    for hint in hints:
        try:
            return converted(value, hint)
        except ValueError:
            continue
    raise ValueError


def _converted_tuple(value: Any, inner: Sequence[Any]) -> tuple[Any, ...]:
    values = several_values(value)
    hints = [inner[0]] * len(values) if inner[-1:] == (Ellipsis,) else inner
    if len(values) != len(hints):
        raise ValueError
    return tuple(map(converted, values, hints))


def _words(hint: Any) -> str:
    """What an annotation takes, in words."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        # None is the default, and a path may be text.
        unsaid = (type(None), str) if Path in inner else (type(None),)
        return " or ".join(_words(each) for each in inner if each not in unsaid)
    if origin is Literal:
        return " or ".join(map(str, inner))
    if origin in (Sequence, Iterable) or inner[-1:] == (Ellipsis,):
        return f"{_words(inner[0])} or a list of such"
    if origin is tuple:
        return f"a list of {len(inner)}: {', '.join(map(_words, inner))}"
    if origin is Mapping:
        return f"a mapping of {_words(inner[0])} to {_words(inner[1])}"
    name = getattr(hint, "__name__", str(hint))
    return WORDS.get(hint) or f"{'an' if name[0] in 'AEIOU' else 'a'} {name}"
