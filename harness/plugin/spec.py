"""Specs: how the command line and suites write components.

A spec is a name with parameters in brackets, `louvain[resolution=[0.5,1]]`; commas separate specs.
A value is TOML if its field is a number or a boolean, otherwise the bare text. On a scalar field a
list is a sweep; on a tuple field it is the value, and a list of lists is a sweep. On a tuple field
of any length a value without brackets is a list of one.
"""

import contextlib
import dataclasses
import itertools
import json
import re
import tomllib
import typing
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union

from harness.errors import WrongValueError, hint, reason_of
from harness.plugin.requirement import MissingPackagesError

if TYPE_CHECKING:
    from harness.plugin.component import Component

C = TypeVar("C", bound="Component")

BARE = re.compile(r"[^\s,\[\]\"'=]+")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
# A quoted text, or one other character. A backslash escapes in TOML's double quotes only.
TOKEN = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'|.""", re.DOTALL)
# A sweep of tuples inside parameters needs three.
DEEPEST = 10
SCALARS = {bool: "true or false", int: "a whole number", float: "a number"}


@dataclass(frozen=True)
class ComponentSpec:
    """A spec, its component's name, and the text of its parameters."""

    text: str
    name: str
    parameters: Mapping[str, str]


def component_name(spec: str) -> str:
    """The component's name in its spec: `louvain` of `louvain[resolution=2]`."""
    return spec.partition("[")[0]


def split(text: str) -> list[str]:
    """Split a text at the commas outside balanced brackets and quotes; raises WrongValueError."""
    parts, depth = [""], 0
    for token in TOKEN.findall(text):
        if token in ('"', "'"):
            raise WrongValueError(f"{text!r}: a {token} is not closed")
        depth += (token == "[") - (token == "]")
        if depth > DEEPEST:
            raise WrongValueError(f"{text[:40]!r}…: brackets are nested more than {DEEPEST} deep")
        if depth < 0:
            raise WrongValueError(f"{text!r}: a ] closes no [")
        if token == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += token
    if depth:
        raise WrongValueError(f"{text!r}: a [ is not closed; is the whole spec quoted?")
    parts = [part.strip() for part in parts]
    return [] if parts == [""] else parts


def parse(text: str) -> list[ComponentSpec]:
    """Parse comma-separated specs; raises WrongValueError if the text is malformed."""
    parts = split(text)
    if "" in parts:
        raise WrongValueError(f"{text!r}: a comma with nothing before or after it")
    return [_parse_one(part) for part in parts]


def _parse_one(text: str) -> ComponentSpec:
    name, bracket, rest = text.partition("[")
    name = name.strip()
    if not NAME.fullmatch(name):
        raise WrongValueError(f"{text!r}: expected a name, or name[parameter=value,…]")
    if not bracket:
        return ComponentSpec(text, name, {})
    if not rest.endswith("]"):
        raise WrongValueError(f"{text!r}: text follows the closing ]")
    parameters: dict[str, str] = {}
    for part in split(rest[:-1]):
        key, equals, value = part.partition("=")
        key, value = key.strip(), value.strip()
        if not equals or not key.isidentifier() or not value:
            raise WrongValueError(f"{text}: expected parameter=value, not {part!r}")
        if key in parameters:
            raise WrongValueError(f"{text}: {key} is given twice; a sweep is {key}=[…,…]")
        parameters[key] = value
    return ComponentSpec(text, name, parameters)


def _listed(text: str) -> list[str] | None:
    """The parts of a list in brackets; None for other text."""
    return split(text[1:-1]) if text.startswith("[") and text.endswith("]") else None


def normal_form(text: str) -> Hashable:
    """What two texts share if they are specs of one component, however each is written.

    Numbers count by their value; spaces, quotes, the order of parameters and brackets around one
    value do not count. Text that is no spec is its own normal form. A default that is written out
    makes a difference, as only the component's class knows it.

    >>> normal_form("fixed[level=0]") == normal_form("fixed[ level = 0.0 ]")
    True
    """
    try:
        specs = parse(text)
    except WrongValueError:
        return text
    return tuple(
        (spec.name, frozenset((key, _normal(value)) for key, value in spec.parameters.items()))
        for spec in specs
    )


def refers_to(text: str, spec: str) -> bool:
    """Whether a user who writes this text means a spec: by its component's name, or as a spec."""
    return text == component_name(spec) or normal_form(text) == normal_form(spec)


def _normal(text: str) -> Hashable:
    if (parts := _listed(text)) is not None:
        return _normal(parts[0]) if len(parts) == 1 else tuple(map(_normal, parts))
    value = _toml(text)
    # NaN does not equal itself.
    is_number = type(value) in (int, float) and value == value
    return ("number", value) if is_number else _text(text)


def configure(
    component: type[C], spec: ComponentSpec, given: Mapping[str, Any] = MappingProxyType({})
) -> list[C]:
    """Make a component of every combination of a spec's parameters; given: more of them, as values.

    Raises WrongValueError if a parameter is unknown, missing, or of the wrong type or value, and
    MissingPackagesError if the component needs packages that are not installed.
    """
    fields = {field.name: field for field in dataclasses.fields(component)}  # type: ignore[arg-type]
    for key in (*spec.parameters, *given):
        if key not in fields:
            known = hint(key, fields, there="it has") if fields else "; it has no parameters"
            raise WrongValueError(f"{spec.text}: {spec.name} has no parameter {key!r}{known}")
        if key in spec.parameters and key in given:
            raise WrongValueError(f"{spec.text}: {key} is given twice")
    sweeps = {key: _swept(component, spec, key) for key in spec.parameters}
    sweeps |= {key: [value] for key, value in given.items()}
    for key, field in fields.items():
        if key not in sweeps and is_required(field):
            raise WrongValueError(f"{spec.text}: {key} is required: {spec.name}[{key}=…]")
    made = []
    for values in itertools.product(*sweeps.values()):
        try:
            made.append(component(**dict(zip(sweeps, values, strict=True))))
        except MissingPackagesError:
            raise
        except Exception as error:
            reason = reason_of(error).removeprefix(f"{component.name}: ")
            raise WrongValueError(f"{spec.text}: {reason}") from error
    return made


def is_required(field: dataclasses.Field[Any]) -> bool:
    """Whether a parameter has no default."""
    return dataclasses.MISSING is field.default is field.default_factory


def _swept(component: type[C], spec: ComponentSpec, key: str) -> list[Any]:
    """The values of one parameter: several if it is swept."""
    type_hint = typing.get_type_hints(component)[key]
    where = f"{spec.text}: {key}"
    values = [_coerce(text, type_hint, where) for text in _sweep(spec.parameters[key], type_hint)]
    if not values:
        raise WrongValueError(f"{where} is an empty list")
    return values


def format_spec(component: "Component", *, full: bool = False) -> str:
    """The spec of an equal component, without defaults unless `full`."""
    written = [
        f"{name}={format_value(value)}"
        for name, value, default in component._parameters()
        if full or value != default
    ]
    return f"{component.name}[{','.join(written)}]" if written else component.name


def supported(hint: Any) -> bool:
    """Whether a spec can hold a field of this type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, UnionType):
        return len(arguments) == 2 and NoneType in arguments and supported(_optional(hint))
    if origin is Literal:
        return all(type(argument) in (str, int) for argument in arguments)
    if origin is tuple:
        return all(
            argument is Ellipsis
            or (typing.get_origin(argument) is not tuple and supported(argument))
            for argument in arguments
        )
    return hint in (*SCALARS, str, Path)


def _optional(hint: Any) -> Any:
    """T if the type is T | None, otherwise the type itself."""
    if typing.get_origin(hint) in (Union, UnionType):
        return next(a for a in typing.get_args(hint) if a is not NoneType)
    return hint


def _sweep(text: str, hint: Any) -> list[str]:
    parts = _listed(text)
    if parts is None:
        return [text]
    if typing.get_origin(_optional(hint)) is tuple:
        return parts if parts and None not in map(_listed, parts) else [text]
    return parts


def _coerce(text: str, hint: Any, where: str) -> Any:
    wanted = _optional(hint)
    if text == "none" and wanted is not hint:
        return None
    if typing.get_origin(wanted) is tuple:
        return _coerce_tuple(text, wanted, where)
    if _listed(text) is not None:
        raise WrongValueError(f"{where} takes one value, not the list {text}")
    if typing.get_origin(wanted) is Literal:
        choices = {str(choice): choice for choice in typing.get_args(wanted)}
        if (chosen := _text(text)) not in choices:
            raise WrongValueError(f"{where} takes one of {', '.join(choices)}, not {text!r}")
        return choices[chosen]
    if wanted in (str, Path):
        return wanted(_text(text))
    value = _toml(text)
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise WrongValueError(f"{where} takes {SCALARS[wanted]}, not {text!r}")
    return value


def _coerce_tuple(text: str, hint: Any, where: str) -> tuple[Any, ...]:
    arguments, parts = typing.get_args(hint), _listed(text)
    if arguments[-1:] == (Ellipsis,):
        return tuple(
            _coerce(part, arguments[0], where) for part in ([text] if parts is None else parts)
        )
    if parts is None:
        raise WrongValueError(f"{where} takes a list in brackets, not {text!r}")
    if len(parts) != len(arguments):
        raise WrongValueError(f"{where} takes {len(arguments)} values, not {len(parts)}")
    return tuple(_coerce(part, kind, where) for part, kind in zip(parts, arguments, strict=True))


def _toml(text: str) -> Any:
    if "\n" in text:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except ValueError:  # also of a number with thousands of digits
        return text


def _text(text: str) -> str:
    """The content of a quoted TOML or JSON string; other text unchanged."""
    if text.startswith('"'):
        # Only JSON expresses lone surrogates, which stand for bytes of paths that are not UTF-8.
        with contextlib.suppress(ValueError):
            return str(json.loads(text))
    value = _toml(text) if text[:1] in "\"'" else text
    return value if isinstance(value, str) else text


def format_value(value: Any) -> str:
    """Return a parameter's value as a spec writes it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{','.join(map(format_value, value))}]"
    if isinstance(value, str | Path):
        text = str(value)
        if BARE.fullmatch(text) and text.isprintable() and text != "none":
            return text
        return "".join(
            # With quotes around it; control characters and the bytes of odd paths are escaped.
            character if character.isprintable() else json.dumps(character)[1:-1]
            for character in json.dumps(text, ensure_ascii=False)
        )
    return repr(value)
