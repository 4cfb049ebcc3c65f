"""`harness schema`: a JSON schema of suite files, from which editors check and complete."""

import argparse
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.cli.options import add_plugin_option

if TYPE_CHECKING:
    from harness.planning.declaration import Setting
    from harness.plugin.descriptions import Description, Parameter

SUMMARY = "print a JSON schema of suite files, for editors"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
# As deep as brackets in specs need to be: a sweep of tuples.
DEPTH = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness schema`."""
    add_plugin_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the schema; returns 0."""
    print(json.dumps(suite_schema(arguments.plugins or ()), indent=2, ensure_ascii=False))
    return 0


def suite_schema(plugins: Sequence[Any] = ()) -> dict[str, Any]:
    """Return the schema of suites that name installed components, and those of some plugins."""
    from harness.planning.settings import COMPONENTS, SETTINGS
    from harness.planning.suites import KEYS, default_suite
    from harness.plugin import registry
    from harness.plugin.descriptions import describe_all

    described = describe_all(registry.load(plugins))
    default = default_suite()
    return {
        "$schema": DIALECT,
        "title": "A suite of harness run",
        "type": "object",
        "additionalProperties": False,
        "properties": {key: _property(SETTINGS[key], default.get(key)) for key in KEYS},
        "$defs": {
            kind.replace(" ", "-"): _specs(
                [each for each in described if each.kind == kind], SETTINGS[key].may_be_empty
            )
            for key, kind in COMPONENTS.items()
        },
    }


def _property(setting: "Setting", default: Any) -> dict[str, Any]:
    shown = setting.default if default is None else default
    known = {} if shown is None else {"default": shown}
    return {"description": setting.help, **setting.schema, **known}


def _specs(described: "Sequence[Description]", may_be_empty: bool) -> dict[str, Any]:
    """Specs of components of one kind: each by its name, or several, with parameters."""
    none = [{"const": "none", "description": "None at all."}] if may_be_empty else []
    named = [{"const": each.name, "description": _text(each)} for each in described]
    one = rf"\s*({'|'.join(map(_spec, described))})\s*"
    examples = [_example(each) for each in described if each.parameters]
    pattern = {"type": "string", "pattern": f"^{one}(,{one})*$", "examples": examples}
    return {"anyOf": [*none, *named, pattern]}


def _spec(described: "Description") -> str:
    """A regular expression of one component's specs; its parameters are checked by name."""
    name = described.name.replace(".", "[.]")
    names = "|".join(each.name for each in described.parameters)
    assigned = rf"\s*({names})\s*=({_part('=,', DEPTH)})+"
    return rf"{name}(\s*\[{assigned}(,{assigned})*\])?" if names else name


def _part(excluded: str, depth: int) -> str:
    """A regular expression of part of a value: a character, a quoted text, or brackets."""
    brackets = rf"|\[({_part('', depth - 1)})*\]" if depth > 1 else ""
    return rf"""[^\[\]"'{excluded}]|"(\\.|[^"\\])*"|'[^']*'{brackets}"""


def _text(described: "Description") -> str:
    parameters = "".join(f"\n{_parameter(each)}" for each in described.parameters)
    return described.summary + (f"\n\nParameters:{parameters}" if parameters else "")


def _parameter(parameter: "Parameter") -> str:
    default = "required" if parameter.required else f"default {_default(parameter)}"
    return f"{parameter.name} ({parameter.type}, {default}): {parameter.doc}".removesuffix(": ")


def _example(described: "Description") -> str:
    """The spec with all parameters; those without a default are left for the reader to fill in."""
    written = (f"{each.name}={_default(each)}" for each in described.parameters)
    return f"{described.name}[{','.join(written)}]"


def _default(parameter: "Parameter") -> str:
    from harness.plugin.spec import format_value

    return "…" if parameter.required else format_value(parameter.default)
