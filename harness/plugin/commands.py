"""Finds the commands of `harness`: its own, and those that installed packages add."""

import importlib
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Protocol, cast

from harness.plugin.installed import (
    Broken,
    BrokenPluginError,
    Source,
    attempt,
    entry_points,
)
from harness.plugin.requirement import Requirement

GROUP = "harness.commands"


class CommandModule(Protocol):
    """What the module of a command defines.

    It may also define `REQUIRES`, a Requirement that must be met before `run` is called, and
    `following`.
    """

    SUMMARY: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]


def find_commands(own: Mapping[str, str]) -> dict[str, CommandModule | Broken]:
    """Find the core's own commands (modules by name), then those of installed packages.

    A command is broken if its module cannot be imported or lacks a part, or if several packages
    define it. No package replaces one of the core's own.
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
    return attempt(name, sources[0], partial(_import, sources[0].origin))


def _import(origin: str) -> CommandModule:
    module = importlib.import_module(origin)
    if missing := ", ".join(_missing(module)):
        raise BrokenPluginError(f"{origin} does not define {missing}")
    return cast(CommandModule, module)


def _missing(module: object) -> Iterator[str]:
    summary = getattr(module, "SUMMARY", None)
    if not (isinstance(summary, str) and summary.strip()):
        yield "SUMMARY"
    for name in ("add_arguments", "run"):
        if not callable(getattr(module, name, None)):
            yield f"{name}()"
    if not isinstance(getattr(module, "REQUIRES", None), Requirement | None):
        yield "REQUIRES as a harness.Requirement"
