"""Progress of a run on stderr: live bars on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.text import Text

from harness.errors import escape_controls
from harness.planning.progress import Progress

# Seconds between two plain lines of one phase.
INTERVAL = 10.0


class PlainProgress:
    """A line where a phase begins, and one now and then with the time that it will take."""

    def __init__(self) -> None:
        self._phase, self._total, self._done = "", 0, 0
        self._began = self._spoke = 0.0

    def begin(self, phase: str, total: int) -> None:
        """Say that a phase begins."""
        self._phase, self._total, self._done = phase, total, 0
        self._began = self._spoke = time.monotonic()
        if total:
            print(f"{phase}: {total}", file=sys.stderr)

    def advance(self) -> None:
        """Count a step, and say so if some time has passed."""
        self._done += 1
        now = time.monotonic()
        if now - self._spoke >= INTERVAL and self._done < self._total:
            self._spoke = now
            left = (now - self._began) / self._done * (self._total - self._done)
            print(
                f"{self._phase}: {self._done} of {self._total}, about {left:.0f} s left",
                file=sys.stderr,
            )

    def note(self, line: str) -> None:
        """Say what comes."""
        print(escape_controls(line), file=sys.stderr)

    def warn(self, line: str) -> None:
        """Say what went wrong."""
        print(f"warning: {escape_controls(line)}", file=sys.stderr)


class LiveProgress:
    """One bar a phase, with the time that remains."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def begin(self, phase: str, total: int) -> None:
        """A new bar."""
        if total:
            self._task = self._bars.add_task(phase, total=total)

    def advance(self) -> None:
        """One step further."""
        if self._task is not None:
            self._bars.advance(self._task)

    def note(self, line: str) -> None:
        """A line above the bars."""
        self._bars.console.print(Text(escape_controls(line)))

    def warn(self, line: str) -> None:
        """A line above the bars."""
        self._bars.console.print(Text(f"warning: {escape_controls(line)}", style="yellow"))


@contextmanager
def shown_progress(*, live: bool = True) -> Iterator[Progress]:
    """Progress for whoever reads stderr; without `live` a debugger can use the terminal."""
    console = Console(stderr=True)
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
