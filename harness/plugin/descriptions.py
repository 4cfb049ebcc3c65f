"""Descriptions of components: their docstrings and their parameters, for a reader."""

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Union

from harness.plugin.component import Component
from harness.plugin.installed import Source
from harness.plugin.registry import Registry
from harness.plugin.spec import is_required

# `name: what it means`, up to an empty line or the next parameter.
LINE = r"(?m)^(NAME): *(.*(?:\n(?!(?:NAME):).+)*)\n?"
# The title of a numpydoc section, underlined.
SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)
# `first, second : type` and the indented lines that follow, in a Parameters section.
ENTRY = re.compile(r"^(\w[^\n:]*)[^\n]*\n((?:[ \t]+[^\n]*\n?|\n)*)", re.MULTILINE)


@dataclass(frozen=True)
class Parameter:
    """A component's parameter; its `default` is None if it is required."""

    name: str
    type: str
    default: Any
    required: bool
    doc: str


@dataclass(frozen=True)
class Description:
    """A component; `summary` is the first line of its docstring, `text` what follows.

    install: the command that installs the packages that it needs, "" if they are there.
    """

    kind: str
    name: str
    summary: str
    text: str
    parameters: Sequence[Parameter]
    install: str
    source: Source


def describe_all(registry: Registry) -> list[Description]:
    """Describe every component: kinds in the pipeline's order, then by name."""
    return [
        describe(component, source)
        for named in registry.components.values()
        for name in sorted(named)
        for component, source in named[name]
    ]


def describe(component: type[Component], source: Source) -> Description:
    """Describe a component by its docstring and its fields.

    Parameters are documented by a numpydoc section Parameters, or by lines `name: what it means`,
    which go on up to an empty line or the next parameter. The docstrings of base classes document
    what the component's own does not.
    """
    fields = dataclasses.fields(component)  # type: ignore[arg-type]
    hints = typing.get_type_hints(component)
    names = {field.name for field in fields}
    summary, text, documented = _read(component, names)
    for parent in component.__mro__[1:]:
        documented = _read(parent, names)[2] | documented
    required = component.requires
    return Description(
        component.kind,
        component.name,
        summary,
        "\n\n".join(filter(None, [text, component.declared()])),
        [_parameter(field, hints[field.name], documented) for field in fields],
        required.command() if required and required.missing() else "",
        source,
    )


def _read(component: type, names: set[str]) -> tuple[str, str, dict[str, str]]:
    """The summary and the text of a docstring, and what it says about each parameter."""
    docstring = inspect.cleandoc(component.__doc__ or "")
    # A dataclass without a docstring is given its signature as one.
    if docstring.startswith(f"{component.__name__}("):
        docstring = ""
    before, *parts = SECTION.split(docstring)
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    summary, _, text = before.partition("\n")
    line = LINE.replace("NAME", "|".join(names) or "(?!)")
    documented = {name: " ".join(body.split()) for name, body in re.findall(line, text)}
    for title, body in ENTRY.findall(sections.pop("Parameters", "")):
        for name in names.intersection(map(str.strip, title.split(","))):
            documented[name] = " ".join(body.split())
    # A terminal reflows the text, which code does not survive.
    sections.pop("Examples", None)
    rest = [f"{title}\n\n{body.strip()}" for title, body in sections.items()]
    text = re.sub(line, "", text).strip()
    return summary, "\n\n".join([text, *rest]).strip(), documented


def _parameter(
    field: dataclasses.Field[Any], hint: Any, documented: Mapping[str, str]
) -> Parameter:
    default = field.default_factory() if callable(field.default_factory) else field.default
    required = is_required(field)
    doc = documented.get(field.name, "")
    return Parameter(field.name, _type_text(hint), None if required else default, required, doc)


def _type_text(hint: Any) -> str:
    """A field's type as a spec writes its values: `[int, …] or none`."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(map(_type_text, arguments))
    if origin is Literal:
        return " or ".join(map(str, arguments))
    if origin is tuple:
        return f"[{', '.join(map(_type_text, arguments))}]"
    named = {Ellipsis: "…", types.NoneType: "none"}
    return named[hint] if hint in named else hint.__name__.lower()
