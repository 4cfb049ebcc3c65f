"""Progress for tests of what is said."""

from harness.planning.progress import Progress


class Listener(Progress):
    """Keeps the warnings and the notes."""

    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.notes: list[str] = []

    def note(self, line: str) -> None:
        self.notes.append(line)

    def warn(self, line: str) -> None:
        self.warnings.append(line)
