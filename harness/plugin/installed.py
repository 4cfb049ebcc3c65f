"""What installed packages register as plugins, and those that cannot be used."""

import contextlib
import importlib.metadata
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from harness.errors import reason_of

T = TypeVar("T")

# The name under which the harness itself is installed.
DISTRIBUTION = "attention-harness"


def harness_version() -> str:
    """The version of the harness."""
    return importlib.metadata.version(DISTRIBUTION)


@dataclass(frozen=True)
class Source:
    """Where a plugin comes from: package and version, and its module or file."""

    package: str
    version: str
    origin: str

    def __str__(self) -> str:
        return f"{self.package} {self.version} ({self.origin})" if self.package else self.origin


# Where components come from that are objects of a caller's.
OBJECT = Source("", "", "an object in Python")


@dataclass(frozen=True)
class Broken:
    """A plugin that cannot be used, with a one-line reason and its traceback.

    is_object: whether it is no plugin, but was an object of a caller's in Python.
    """

    name: str
    source: Source
    reason: str
    traceback: str = ""
    is_object: bool = False


class BrokenPluginError(Exception):
    """A plugin does not follow the rules."""


def attempt(name: str, source: Source, load: Callable[[], T]) -> T | Broken:
    """What loading a plugin returns, or why it fails; what it prints goes to stderr."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return load()
    except BrokenPluginError as error:
        return Broken(name, source, str(error))
    except BaseException as error:  # a plugin may raise anything, SystemExit too
        trace = traceback.TracebackException.from_exception(error)
        # Ctrl-C comes at any line; a plugin that raises the same has one that says so.
        if isinstance(error, KeyboardInterrupt) and not _raised(trace):
            raise
        return Broken(name, source, reason_of(error), "".join(trace.format()))


def _raised(trace: traceback.TracebackException) -> bool:
    """Whether an error comes from a line that raises it."""
    return bool(trace.stack) and (trace.stack[-1].line or "").startswith("raise ")


def entry_points(group: str) -> Iterator[tuple[importlib.metadata.EntryPoint, Source]]:
    """Yield the entry points of a group, by name, with their sources."""
    # A distribution parses its metadata whenever it is asked, and may have many entry points.
    described: dict[importlib.metadata.Distribution | None, tuple[str, str]] = {None: ("", "")}
    for entry_point in sorted(importlib.metadata.entry_points(group=group)):
        distribution = entry_point.dist
        if distribution is not None and distribution not in described:
            metadata = distribution.metadata
            described[distribution] = metadata["Name"], metadata["Version"]
        yield entry_point, Source(*described[distribution], entry_point.value)
