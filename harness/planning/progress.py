"""What the engine tells whoever watches a run."""

from typing import Protocol


class Progress(Protocol):
    """Told of phases and steps; views show them, tests may ignore them."""

    def begin(self, phase: str, total: int) -> None:
        """A phase of `total` steps begins; it ends where the next one begins."""

    def advance(self) -> None:
        """One more step of the phase is done."""

    def note(self, line: str) -> None:
        """What is about to be done."""

    def warn(self, line: str) -> None:
        """Something went wrong that does not end the run."""


class NullProgress:
    """Watches nothing."""

    def begin(self, phase: str, total: int) -> None:
        """Nothing."""

    def advance(self) -> None:
        """Nothing."""

    def note(self, line: str) -> None:
        """Nothing."""

    def warn(self, line: str) -> None:
        """Nothing."""


def named(name: str, reason: str) -> str:
    """A reason that begins with the name of what it is about, once."""
    return reason if reason.startswith(f"{name}: ") else f"{name}: {reason}"
