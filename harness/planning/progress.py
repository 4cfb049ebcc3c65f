"""Progress of a run, as the engine reports it."""

from typing import Protocol


class Progress(Protocol):
    """Receives phases and steps; views show them, tests may ignore them."""

    def begin(self, phase: str, total: int) -> None:
        """Begin a phase of `total` steps; it ends when the next one begins."""

    def advance(self) -> None:
        """Complete one step of the phase."""

    def note(self, line: str) -> None:
        """Show what is about to be done."""

    def warn(self, line: str) -> None:
        """Show a problem that does not end the run."""


class NullProgress:
    """Ignores all progress."""

    def begin(self, phase: str, total: int) -> None:
        """Do nothing."""

    def advance(self) -> None:
        """Do nothing."""

    def note(self, line: str) -> None:
        """Do nothing."""

    def warn(self, line: str) -> None:
        """Do nothing."""


def named(name: str, reason: str) -> str:
    """Return a reason that begins with the name of its subject, once."""
    return reason if reason.startswith(f"{name}: ") else f"{name}: {reason}"
