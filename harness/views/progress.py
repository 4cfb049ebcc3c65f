"""Progress of a run on stderr: live bars on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from harness.errors import escape_line
from harness.planning.progress import Progress
from harness.views.tables import print_text

# Seconds between two plain lines of one phase.
INTERVAL = 10.0


class PlainProgress(Progress):
    """A line when a phase begins, and now and then one with the time left."""

    def __init__(self) -> None:
        self._phase, self._total, self._done = "", 0, 0
        self._began = self._spoke = 0.0

    def begin(self, phase: str, total: int) -> None:
        """Print that a phase begins."""
        self._phase, self._total, self._done = phase, total, 0
        self._began = self._spoke = time.monotonic()
        if total:
            self.note(f"{phase}: {total}")

    def advance(self) -> None:
        """Count a step; print a line if the last one is some time ago."""
        self._done += 1
        now = time.monotonic()
        if now - self._spoke >= INTERVAL and self._done < self._total:
            self._spoke = now
            left = (now - self._began) / self._done * (self._total - self._done)
            self.note(f"{self._phase}: {self._done} of {self._total}, about {left:.0f} s left")

    def note(self, line: str) -> None:
        """Print the line."""
        print(escape_line(line), file=sys.stderr)

    def warn(self, line: str) -> None:
        """Print the line as a warning."""
        self.note(f"warning: {line}")


class LiveProgress(Progress):
    """A bar for each phase, with the time left."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def begin(self, phase: str, total: int) -> None:
        """Add a bar."""
        if total:
            self._task = self._bars.add_task(phase, total=total)

    def advance(self) -> None:
        """Advance the bar by one step."""
        if self._task is not None:
            self._bars.advance(self._task)

    def note(self, line: str) -> None:
        """Print the line above the bars."""
        print_text(self._bars.console, escape_line(line))

    def warn(self, line: str) -> None:
        """Print the line above the bars as a warning."""
        print_text(self._bars.console, escape_line(f"warning: {line}"), "yellow")


@contextmanager
def shown_progress(*, live: bool = True) -> Iterator[Progress]:
    """Print progress to stderr; without `live` a debugger can use the terminal."""
    # Rich asks this of stderr itself, but not of what takes the place of stderr under live bars.
    console = Console(stderr=True, file=getattr(sys.stderr, "rich_proxied_file", None))
    if not live or not console.is_terminal:
        yield PlainProgress()
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=console) as bars:
        yield LiveProgress(bars)
