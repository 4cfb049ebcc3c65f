"""Progress of long work, as the engine and the analysis report it."""

import logging
from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

T = TypeVar("T")
# What happens: phases, notes, warnings and each failure, for whoever listens.
LOGGER = logging.getLogger("harness")
LOGGER.addHandler(logging.NullHandler())


class Progress:
    """Receives phases and steps, and ignores them; views show them."""

    def begin(
        self, phase: str, total: int, seconds_left: Callable[[], float | None] | None = None
    ) -> None:
        """Begin a phase of `total` steps; it ends when the next one begins.

        seconds_left: estimates the time that the phase still takes, None if that is unknown. Steps
        without it take the same time each.
        """

    def advance(self, steps: int = 1) -> None:
        """Complete steps of the phase."""

    def track(self, phase: str, items: Collection[T]) -> Iterator[T]:
        """Begin a phase and yield the items; each is a step."""
        self.begin(phase, len(items))
        for item in items:
            yield item
            self.advance()

    def announce(self, line: str) -> None:
        """Show what is about to be done, unless it is done at once."""

    def note(self, line: str) -> None:
        """Show a line."""

    def warn(self, line: str) -> None:
        """Show a problem that does not end the run."""


SILENT = Progress()


def named(name: str, reason: str) -> str:
    """Return a reason that begins with the name of its subject, once."""
    return reason if reason.startswith(f"{name}: ") else f"{name}: {reason}"


def duration(seconds: float) -> str:
    """Say about how long something takes.

    >>> [duration(each) for each in (0.2, 42, 400, 20_000)]
    ['1 s', '42 s', '7 min', '5.6 h']
    """
    if seconds < 100:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 100 * 60 else f"{seconds / 3600:.1f} h"
