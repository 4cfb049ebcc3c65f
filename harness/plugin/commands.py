"""Finds the commands of `harness`: its own, and those that installed packages add."""

import contextlib
import importlib
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, cast

from harness.plugin.installed import Broken, Source, entry_points

GROUP = "harness.commands"


class CommandModule(Protocol):
    """What the module of a command defines."""

    SUMMARY: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]


def find_commands(own: Mapping[str, str]) -> dict[str, CommandModule | Broken]:
    """Find the core's own commands (modules by name), then those of installed packages.

    A command is broken if its module cannot be imported or lacks a part, or if several packages
    define it; the others are unaffected. No package replaces one of the core's own.
    """
    sources = {name: [Source("", "", module)] for name, module in own.items()}
    for entry_point, source in entry_points(GROUP):
        if entry_point.name not in own:
            sources.setdefault(entry_point.name, []).append(source)
    return {name: _load(name, found) for name, found in sources.items()}


def broken_commands(own: Mapping[str, str]) -> Iterator[Broken]:
    """Yield the broken commands, and those named like one of the core's own."""
    yield from (each for each in find_commands(own).values() if isinstance(each, Broken))
    for entry_point, source in entry_points(GROUP):
        if entry_point.name in own:
            yield Broken(entry_point.name, source, "harness has a command of that name itself")


def _load(name: str, sources: Sequence[Source]) -> CommandModule | Broken:
    if len(sources) > 1:
        all_of_them = Source("", "", " and ".join(map(str, sources)))
        return Broken(name, all_of_them, "several packages define it")
    source = sources[0]
    try:
        with contextlib.redirect_stdout(sys.stderr):
            module = importlib.import_module(source.origin)
        missing = ", ".join(_missing(module))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin's module may raise anything
        return Broken.by(error, name, source)
    if missing:
        return Broken(name, source, f"{source.origin} does not define {missing}")
    return cast(CommandModule, module)


def _missing(module: object) -> Iterator[str]:
    summary = getattr(module, "SUMMARY", None)
    if not (isinstance(summary, str) and summary.strip()):
        yield "SUMMARY"
    for name in ("add_arguments", "run"):
        if not callable(getattr(module, name, None)):
            yield f"{name}()"
