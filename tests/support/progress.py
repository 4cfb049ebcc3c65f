"""Progress for tests of what is said."""

from harness.planning.progress import Progress


class Listener(Progress):
    """Keeps what it is warned of."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, line: str) -> None:
        self.warnings.append(line)
