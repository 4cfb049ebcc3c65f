"""Progress of a run, as the engine reports it."""


class Progress:
    """Receives phases and steps, and ignores them; views show them."""

    def begin(self, phase: str, total: int) -> None:
        """Begin a phase of `total` steps; it ends when the next one begins."""

    def advance(self) -> None:
        """Complete one step of the phase."""

    def note(self, line: str) -> None:
        """Show what is about to be done."""

    def warn(self, line: str) -> None:
        """Show a problem that does not end the run."""


def named(name: str, reason: str) -> str:
    """Return a reason that begins with the name of its subject, once."""
    return reason if reason.startswith(f"{name}: ") else f"{name}: {reason}"
