"""`harness doctor`: what a bug report needs."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.cli.options import add_json_option, add_plugin_option
from harness.cli.output import print_json, table_console
from harness.errors import escape_line

SUMMARY = "print what a bug report needs: versions, machine, plugins, whether workers start"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness doctor`."""
    add_json_option(parser)
    add_plugin_option(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the diagnosis; returns 0, or 2 if workers or plugins are in trouble."""
    from harness.engine.doctor import diagnose
    from harness.planning.suites import RESULTS
    from harness.plugin import registry
    from harness.views.tables import print_text

    plugins = arguments.plugins or []
    found = diagnose(registry.load(plugins), plugins, RESULTS)
    if arguments.json:
        print_json(found)
    else:
        print_text(table_console(), "\n".join(map(escape_line, _lines(found))))
    return 2 if found["plugins"]["trouble"] or "trouble" in found["workers"] else 0


def following(arguments: argparse.Namespace) -> Sequence[str]:
    """A run."""
    return ("run",)


def _lines(found: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    for name, value in found.items():
        if isinstance(value, Mapping):
            yield f"{indent}{name}:" if value else f"{indent}{name}: none"
            yield from _lines(value, f"{indent}  ")
        elif isinstance(value, list):
            yield f"{indent}{name}: {'; '.join(value) or 'none'}"
        else:
            yield f"{indent}{name}: {value}"
