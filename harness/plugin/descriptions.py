"""What components say about themselves: their docstrings and their parameters."""

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Union

from harness.plugin.registry import Registered, Registry, Source

PARAMETER = re.compile(r"(\w+): *(.*)")


@dataclass(frozen=True)
class Parameter:
    """A parameter as its author declared it; `default` is None where it is required."""

    name: str
    type: str
    default: Any
    required: bool
    doc: str


@dataclass(frozen=True)
class Description:
    """A component for a reader: `summary` is its first line, `text` the paragraphs after it."""

    kind: str
    name: str
    summary: str
    text: str
    parameters: Sequence[Parameter]
    source: Source


def describe_all(registry: Registry) -> list[Description]:
    """Every component by kind, in the pipeline's order, then by name."""
    return [
        describe(registered)
        for named in registry.components.values()
        for name in sorted(named)
        for registered in named[name]
    ]


def describe(registered: Registered) -> Description:
    """A component's docstring and fields.

    In the docstring a line `parameter: what it means`, and the lines after it up to an empty
    one or the next parameter, document that parameter; all other lines are text. Parameters
    that it does not document are documented by the docstrings of its bases.
    """
    component = registered.component
    fields = dataclasses.fields(component)  # type: ignore[arg-type]
    hints = typing.get_type_hints(component)
    names = {field.name for field in fields}
    summary, *lines = _docstring(component).splitlines() or [""]
    text, documented = _parted(lines, names)
    for base in component.__mro__[1:]:
        documented = _parted(_docstring(base).splitlines(), names)[1] | documented
    return Description(
        component.kind,
        component.name,
        summary,
        text,
        [_parameter(field, hints[field.name], documented) for field in fields],
        registered.source,
    )


def _docstring(component: type) -> str:
    written = inspect.cleandoc(component.__doc__ or "")
    # A dataclass without a docstring is given its signature as one.
    return "" if written.startswith(f"{component.__name__}(") else written


def _parted(lines: Iterable[str], names: set[str]) -> tuple[str, dict[str, str]]:
    """The text among a docstring's lines, and what they say about each parameter."""
    text: list[str] = []
    documented: dict[str, str] = {}
    current = ""
    for line in lines:
        match = PARAMETER.fullmatch(line)
        if match and match[1] in names:
            current = match[1]
            documented[current] = match[2]
        elif current and line:
            documented[current] += f" {line.strip()}"
        else:
            current = ""
            text.append(line)
    return "\n".join(text).strip(), documented


def _parameter(
    field: dataclasses.Field[Any], hint: Any, documented: Mapping[str, str]
) -> Parameter:
    default, required = field.default, False
    if callable(field.default_factory):
        default = field.default_factory()
    elif default is dataclasses.MISSING:
        default, required = None, True
    return Parameter(
        field.name, _type_text(hint), default, required, documented.get(field.name, "")
    )


def _type_text(hint: Any) -> str:
    """A field's type in the words of a spelling: `[int, …] or none`."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(map(_type_text, arguments))
    if origin is Literal:
        return " or ".join(map(str, arguments))
    if origin is tuple:
        return f"[{', '.join(map(_type_text, arguments))}]"
    named = {Ellipsis: "…", types.NoneType: "none"}
    return named[hint] if hint in named else hint.__name__.lower()
