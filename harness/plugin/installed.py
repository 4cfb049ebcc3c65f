"""What installed packages register as plugins, and those that cannot be used."""

import importlib.metadata
import traceback
from collections.abc import Iterator
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Broken:
    """A plugin that cannot be used, with a one-line reason and its traceback."""

    name: str
    source: Source
    reason: str
    traceback: str = ""

    @classmethod
    def by(cls, error: BaseException, name: str, source: Source) -> "Broken":
        """A plugin whose loading raised an error."""
        reason = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(": ")
        return cls(name, source, reason, "".join(traceback.format_exception(error)))


def entry_points(group: str) -> Iterator[tuple[importlib.metadata.EntryPoint, Source]]:
    """Yield the entry points of a group, by name, with their sources."""
    for entry_point in sorted(importlib.metadata.entry_points(group=group)):
        distribution = entry_point.dist
        package = distribution.name if distribution else ""
        version = distribution.version if distribution else ""
        yield entry_point, Source(package, version, entry_point.value)
