"""Finds the commands of `harness`: its own, and those that installed packages add."""

import importlib
import importlib.metadata
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

GROUP = "harness.commands"


class CommandModule(Protocol):
    """What the module of a command defines."""

    SUMMARY: str
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]


@dataclass(frozen=True)
class Command:
    """A command: its module, or the reason why it cannot be used, and where it comes from."""

    name: str
    source: str
    module: CommandModule | None
    reason: str = ""

    @property
    def summary(self) -> str:
        """The line that `harness --help` shows."""
        return self.module.SUMMARY if self.module else f"broken: {self.reason}"


def find_commands(own: Mapping[str, str]) -> list[Command]:
    """Return every command once: the core's own first, then those of entry points, by name.

    Parameters
    ----------
    own
        Module of each of the core's commands, by the command's name.

    Returns
    -------
    list of Command
        A command whose module cannot be imported, or whose name is already taken, has a reason
        and no module; the others are unaffected.
    """
    commands = {name: _load(name, "harness", module) for name, module in own.items()}
    for name, source, module in _entry_points():
        if name in commands:
            reason = f"{source} and {commands[name].source} both define it"
            if name not in own:
                commands[name] = Command(name, source, None, reason)
        else:
            commands[name] = _load(name, source, module)
    return list(commands.values())


def _entry_points() -> Iterator[tuple[str, str, str]]:
    for entry_point in sorted(importlib.metadata.entry_points(group=GROUP)):
        source = entry_point.dist.name if entry_point.dist else entry_point.value
        yield entry_point.name, source, entry_point.value


def _load(name: str, source: str, path: str) -> Command:
    try:
        module = importlib.import_module(path)
        missing = [part for part in CommandModule.__annotations__ if not hasattr(module, part)]
        if missing:
            return Command(name, source, None, f"{path} does not define {', '.join(missing)}")
        return Command(name, source, cast(CommandModule, module))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a plugin's module may raise anything
        reason = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(": ")
        return Command(name, source, None, reason)
