"""`harness completion`: a script by which a shell completes commands, options and components."""

import argparse
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template
from typing import Any

from harness.plugin.requirement import SHELL

SUMMARY = "print a script for bash, zsh or fish to complete commands, options and components"
REQUIRES = SHELL
SHELLS = ("bash", "zsh", "fish")
# Values that are paths, by what the help calls them.
FOLDERS, FILES = ("DIR", "RUN", "FOLDER"), ("FILE", "PATH", "SUITE.toml")
# The kind of all components, and what else than settings takes components.
EVERY = "component"
OTHERS = {
    "force": EVERY,
    "name": EVERY,
    "method": "clusterer",
    "of": "clusterer",
    "scores": "score",
}
# Names that no shell reads as anything else.
PLAIN = re.compile(r"[\w.-]+")
# A function of each shell that completes the last of several names: what stands before the last
# comma stays. Nothing is known of parameters in brackets.
FUNCTIONS = {
    "bash": Template(
        """\
$function() {
  local typed="$${1##*,}" before=""
  [[ "$$typed" == *\\[* || "$$typed" == *\\]* ]] && return
  [[ "$$1" == *,* ]] && before="$${1%,*},"
  compgen -P "$$before" -W "$names" -- "$$typed"
}
"""
    ),
    "zsh": Template(
        """\
$function() {
  compset -P '*,'
  compadd -S '' -- $names
}
"""
    ),
    "fish": Template(
        """\
function $function
  set -l before (string match -r '^.*,' -- (commandline -ct))
  for name in $names
    echo "$$before"$$name
  end
end
"""
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `harness completion`."""
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or fish")


def run(arguments: argparse.Namespace) -> int:
    """Print the script; returns 0."""
    print(script(arguments.shell))
    return 0


def script(shell: str) -> str:
    """The script for a shell; it completes the components that are installed now."""
    import shtab

    from harness.cli.main import OWN
    from harness.cli.parsing import command_parser, parsers_in
    from harness.plugin import registry
    from harness.plugin.commands import find_commands

    commands = find_commands(OWN)
    parser, _ = command_parser(commands, list(commands))
    for action in (action for each in parsers_in(parser) for action in each._actions):
        if found := _completion(action):
            action.complete = found  # type: ignore[attr-defined]
    names: dict[str, Iterable[str]] = dict(registry.load().components)
    names[EVERY] = sorted({name for of_kind in names.values() for name in of_kind})
    functions = [
        FUNCTIONS[shell].substitute(
            function=_function(kind), names=" ".join(filter(PLAIN.fullmatch, of_kind))
        )
        for kind, of_kind in names.items()
    ]
    preamble: Any = {shell: "\n".join(functions)}
    return str(shtab.complete(parser, shell, preamble=preamble))


def _completion(action: argparse.Action) -> Mapping[str, Any] | None:
    """How a shell completes the values of an option or an argument; None if shtab knows."""
    import shtab

    from harness.planning.settings import COMPONENTS

    if action.choices is not None or action.nargs == 0:
        return None
    if kind := {**COMPONENTS, **OTHERS}.get(action.dest):
        function = _function(kind)
        return {"bash": function, "zsh": function, "fish": f"({function})"}
    if action.metavar in FOLDERS:
        return dict(shtab.DIRECTORY)
    if action.metavar in FILES or action.type is Path:
        return dict(shtab.FILE)
    return None


def _function(kind: str) -> str:
    """The function of the scripts that completes components of a kind."""
    return f"_harness_{kind.replace(' ', '_')}"
