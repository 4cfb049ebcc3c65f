"""Kinds of settings: what each accepts, and how flags, help and the JSON schema describe it."""

import argparse
import dataclasses
import math
import os
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import WrongValueError, setting_name
from harness.plugin.arguments import converted, several_values, shown


@dataclass(frozen=True)
class Setting:
    """A setting of a run: which values it accepts, and how it is described.

    type_name: as numpydoc writes types. expected: what errors say that it takes. parse: converts
    a value, or raises ValueError or OverflowError. schema: JSON schema of its values. argument:
    what argparse needs besides flags and help. default: as a suite would give it; None if the
    default suite gives it, or if it may be unset. flags: if they differ from the field's name.
    in_suites: whether suites may contain it. kind: of the components that it names.
    """

    help: str
    type_name: str
    expected: str
    parse: Callable[[Any], Any]
    schema: Mapping[str, Any]
    argument: Mapping[str, Any] = field(default_factory=dict)
    default: Any = None
    metavar: str | None = None
    flags: tuple[str, ...] = ()
    in_suites: bool = True
    kind: str = ""
    may_be_empty: bool = False

    def check(self, key: str, value: Any) -> Any:
        """Convert a value; raise WrongValueError, which names the key, if it is not acceptable."""
        try:
            return self.parse(value)
        except WrongValueError:
            # It says more.
            raise
        except (ValueError, OverflowError):
            name = setting_name(key)
            raise WrongValueError(f"{name}: expected {self.expected}, not {shown(value)}") from None


def declared(owner: type) -> dict[str, Setting]:
    """Return the settings that annotate the fields of a dataclass, by name."""
    hints = typing.get_type_hints(owner, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items()}


def whole(help: str, minimum: int, maximum: int, **more: Any) -> Setting:
    """Return a setting that takes whole numbers; both bounds are included."""

    def parse(value: Any) -> int:
        found: int = converted(value, int)
        _require(minimum <= found <= maximum)
        return found

    expected = f"a whole number from {minimum} to {maximum}"
    schema = {"type": "integer", "minimum": minimum, "maximum": maximum}
    return Setting(help, "int", expected, parse, schema, {"type": int}, metavar="N", **more)


def positive(help: str, below: float = math.inf, **more: Any) -> Setting:
    """Return a setting that takes positive numbers below a limit."""

    def parse(value: Any) -> float:
        found: float = converted(value, float)
        _require(0 < found < below)
        return found

    limited = below < math.inf
    expected = "a positive number" + (f" below {below:g}" if limited else "")
    bounds = {"exclusiveMaximum": below} if limited else {}
    schema = {"type": "number", "exclusiveMinimum": 0, **bounds}
    return Setting(help, "float", expected, parse, schema, {"type": float}, **more)


def switch(help: str, *, in_suites: bool = True) -> Setting:
    """Return a setting that is true or false, false by default."""
    # A flag needs a negation only if a suite may say the opposite.
    argument = {"action": argparse.BooleanOptionalAction if in_suites else "store_true"}
    schema = {"type": "boolean"}
    return Setting(
        help,
        "bool",
        "true or false",
        partial(converted, hint=bool),
        schema,
        argument,
        False,
        in_suites=in_suites,
    )


def one_of(help: str, *choices: str) -> Setting:
    """Return a setting that takes one of some words, the first by default."""

    def parse(value: Any) -> str:
        _require(isinstance(value, str) and value in choices)
        return str(value)

    type_name, expected = f"{{{', '.join(map(repr, choices))}}}", " or ".join(choices)
    schema, argument = {"enum": list(choices)}, {"choices": choices}
    return Setting(help, type_name, expected, parse, schema, argument, choices[0])


def parse_text(value: Any) -> str:
    """Convert a text; raise ValueError for other values."""
    found: str = converted(value, str)
    return found


def parse_path(value: Any) -> Path:
    """Convert a path; raise ValueError for other values."""
    _require(isinstance(value, str | Path) and value != "" and "\0" not in str(value))
    # Unlike Path.expanduser, this leaves the home of an unknown user as it is.
    return Path(os.path.expanduser(value))


def optional(help: str, expected: str, parse: Callable[[Any], Any], metavar: str) -> Setting:
    """Return a setting that takes a text or a path, and may be unset."""

    def parse_optional(value: Any) -> Any:
        _require(value != "")
        return None if value is None else parse(value)

    type_name, schema = _TYPE_NAMES[parse], {"type": "string", "minLength": 1}
    return Setting(help, type_name, expected, parse_optional, schema, metavar=metavar)


def several(
    help: str,
    expected: str,
    parse: Callable[[Any], Any],
    argument: Mapping[str, Any],
    **more: Any,
) -> Setting:
    """Return a setting that takes one or more texts or paths, none by default."""

    def parse_each(value: Any) -> tuple[Any, ...]:
        return tuple(map(parse, several_values(value)))

    type_name = f"{_TYPE_NAMES[parse]} or list of {_TYPE_NAMES[parse]}"
    schema = _one_or_several({"type": "string"})
    return Setting(
        help, type_name, expected, parse_each, schema, argument, **{"default": (), **more}
    )


def components(help: str, kind: str, **more: Any) -> Setting:
    """Return a setting that takes specs of components of a kind; the default suite has some."""
    item = {"$ref": f"#/$defs/{kind.replace(' ', '-')}"}
    schema = _one_or_several(item, at_least=0 if more.get("may_be_empty") else 1)
    more = {"metavar": "NAMES", "default": None, "kind": kind, **more}
    texts = several(help, "text or a list of texts", parse_text, {}, **more)
    type_name = "str, object, or list of these"
    return dataclasses.replace(texts, schema=schema, type_name=type_name)


_TYPE_NAMES: dict[Callable[[Any], Any], str] = {parse_text: "str", parse_path: "path"}


def _one_or_several(item: Mapping[str, Any], at_least: int = 0) -> dict[str, Any]:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": at_least}]}


def _require(condition: bool) -> None:
    if not condition:
        raise ValueError
