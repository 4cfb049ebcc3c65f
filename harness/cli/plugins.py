"""`harness plugins`: every component with its parameters, and the broken plugins."""

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli.options import add_json_option, add_plugin_option
from harness.cli.output import print_json, table_console
from harness.errors import HarnessError, did_you_mean

if TYPE_CHECKING:
    from harness.plugin.descriptions import Description
    from harness.plugin.installed import Broken

SUMMARY = "list every component with its parameters, and the broken plugins"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness plugins`."""
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="show only this component or broken plugin, in full"
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="also show parameters and origins"
    )
    add_json_option(parser)
    add_plugin_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show the components; returns 0, even if there are broken plugins."""
    from harness.cli.main import OWN
    from harness.plugin import registry
    from harness.plugin.commands import broken_commands
    from harness.plugin.descriptions import describe_all

    loaded = registry.load(arguments.plugins or [])
    for line in loaded.conflicts():
        print(f"warning: {line}", file=sys.stderr)
    descriptions, broken = describe_all(loaded), [*loaded.broken, *broken_commands(OWN)]
    if arguments.name is not None:
        descriptions, broken = _called(arguments.name, descriptions, broken)
    if arguments.json:
        print_json(_document(descriptions, broken))
        return 0

    from harness.views.components import show_in_full, show_list

    console = table_console()
    if arguments.verbose or arguments.name is not None:
        show_in_full(descriptions, broken, console, brief=arguments.name is None)
    else:
        show_list(descriptions, broken, console)
    return 0


def following(arguments: argparse.Namespace) -> Sequence[str]:
    """A component in full, or the options that take it."""
    return ("plugins", "louvain") if arguments.name is None else ("run", "--help")


def _called(
    name: str, descriptions: Sequence["Description"], broken: Sequence["Broken"]
) -> tuple[list["Description"], list["Broken"]]:
    """The components and broken plugins with that name, of any kind."""
    found = [description for description in descriptions if description.name == name]
    failed = [one for one in broken if one.name == name]
    if not found and not failed:
        known = [*(description.name for description in descriptions), *(one.name for one in broken)]
        hint = did_you_mean(name, known) or "; `harness plugins` lists what there is"
        raise HarnessError(f"there is no component or plugin {name!r}{hint}")
    return found, failed


def _document(
    descriptions: Sequence["Description"], broken: Sequence["Broken"]
) -> dict[str, list[dict[str, Any]]]:
    found = {"components": list(map(_flat, descriptions)), "broken": list(map(_flat, broken))}
    for component in found["components"]:
        del component["text"]
        for parameter in component["parameters"]:
            parameter["default"] = _plain(parameter["default"])
    return found


def _flat(value: "Description | Broken") -> dict[str, Any]:
    fields = asdict(value)
    source: dict[str, Any] = fields.pop("source")
    return {**fields, **source}


def _plain(value: Any) -> Any:
    """A parameter's value for JSON: text if JSON has no such value."""
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, Path) or (isinstance(value, float) and not math.isfinite(value)):
        return str(value)
    return value
