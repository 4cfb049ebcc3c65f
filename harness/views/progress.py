"""Progress of long work: a bar on a terminal or in a notebook, now and then a line elsewhere.

Work that takes less than two seconds shows none. Afterwards nothing stays on the terminal or in the
notebook but notes and warnings. All goes to stderr, but for the bar of a notebook.
"""

import contextlib
import os
import sys
import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from harness.errors import escape_line
from harness.planning.progress import Progress, duration

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

# Seconds for which nothing is shown.
QUIET = 2.0
# Seconds between two plain lines, at least; of long work a fraction of its time so far.
INTERVAL = 10.0
SPARSE = 0.05
# Seconds between looks at the clock while no step is completed.
TICK = 0.5


@dataclass
class _Phase:
    """A phase under way; first: the time of its first completed step, and how many these were."""

    name: str
    total: int
    left: Callable[[], float | None] | None
    began: float
    done: int = 0
    first: tuple[float, int] | None = None

    def advance(self, steps: int) -> None:
        self.done += steps
        if self.first is None:
            self.first = time.monotonic(), self.done

    def seconds_left(self) -> float | None:
        """The time left; None if nothing is known yet, or nothing is left."""
        if self.done >= self.total:
            return None
        if self.left is not None:
            return self.left()
        if self.first is None or not self.done:
            return None
        # The first step may load models and libraries: later ones say more.
        since, before = self.first if self.done > self.first[1] else (self.began, 0)
        pace = (time.monotonic() - since) / (self.done - before)
        return pace * (self.total - self.done)

    def __str__(self) -> str:
        left = self.seconds_left()
        text = f"{self.name}: {self.done} of {self.total}"
        return text if left is None else f"{text}, about {duration(left)} left"


class _Shown(Progress):
    """Keeps quiet for two seconds, then shows the phase under way; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._began = time.monotonic()
        self._opened = False
        self._announced: list[str] = []
        self._phase: _Phase | None = None

    def begin(
        self, phase: str, total: int, seconds_left: Callable[[], float | None] | None = None
    ) -> None:
        """Show this phase from now on."""
        with self._lock:
            self._phase = _Phase(phase, total, seconds_left, time.monotonic()) if total else None
            self.tick()

    def advance(self, steps: int = 1) -> None:
        """Count steps."""
        with self._lock:
            if self._phase is not None:
                self._phase.advance(steps)
            self.tick()

    def announce(self, line: str) -> None:
        """Print the line as soon as anything is shown."""
        with self._lock:
            self._announced.append(line)
            self.tick()

    def warn(self, line: str) -> None:
        """Print the line as a warning."""
        self.note(f"warning: {line}")

    def tick(self) -> None:
        """Show how far the work is, if it is time for that."""
        with self._lock:
            if not self._opened and time.monotonic() - self._began < QUIET:
                return
            self._opened = True
            while self._announced:
                self.note(self._announced.pop(0))
            self._show(self._phase)

    @abstractmethod
    def _show(self, phase: _Phase | None) -> None:
        """Show a phase."""

    def close(self) -> None:
        """Show nothing any more."""


class PlainProgress(_Shown):
    """A line now and then."""

    _spoke = float("-inf")

    def note(self, line: str) -> None:
        """Print the line."""
        # Nobody reads it any more; the work goes on.
        with self._lock, contextlib.suppress(OSError, ValueError):
            print(escape_line(line), file=sys.stderr, flush=True)

    def _show(self, phase: _Phase | None) -> None:
        now = time.monotonic()
        if phase and now - self._spoke >= max(INTERVAL, SPARSE * (now - self._began)):
            self._spoke = now
            self.note(str(phase))


class NotebookProgress(PlainProgress):
    """A bar in the output of a notebook's cell.

    shell: IPython's.
    """

    def __init__(self, shell: Any) -> None:
        super().__init__()
        self._publish = shell.display_pub.publish
        self._name = uuid4().hex
        self._on_bar: _Phase | None = None
        self._is_there = False

    def close(self) -> None:
        """Remove the bar."""
        with self._lock:
            if self._is_there:
                self._display("", "")

    def _show(self, phase: _Phase | None) -> None:
        now = time.monotonic()
        if phase is None or (phase is self._on_bar and now - self._spoke < TICK):
            return
        self._spoke, self._on_bar = now, phase
        bar = f'<progress value="{phase.done}" max="{phase.total}"></progress>'
        self._display(f"{bar} {escape(escape_line(str(phase)))}", escape_line(str(phase)))

    def _display(self, html: str, text: str) -> None:
        data = {"text/html": html, "text/plain": text}
        self._publish(data, transient={"display_id": self._name}, update=self._is_there)
        self._is_there = True


class LiveProgress(_Shown):
    """A bar for the phase under way, and notes above it."""

    _bars: "Bars | None" = None
    _on_bar: _Phase | None = None

    def note(self, line: str) -> None:
        """Print the line above the bar."""
        self._print(line)

    def warn(self, line: str) -> None:
        """Print the line above the bar as a warning."""
        self._print(f"warning: {line}", "yellow")

    def close(self) -> None:
        """Remove the bar."""
        with self._lock:
            if self._bars is not None:
                self._bars.stop()

    def _print(self, line: str, style: str = "") -> None:
        from rich.console import Console

        from harness.views.tables import print_text

        with self._lock:
            print_text(self._bars.console if self._bars else Console(stderr=True), line, style)

    def _show(self, phase: _Phase | None) -> None:
        if self._bars is None:
            self._bars = _bars()
            self._bars.start()
        if phase is not self._on_bar:
            for task in self._bars.task_ids:
                self._bars.remove_task(task)
            self._on_bar = phase
            if phase is not None:
                self._bars.add_task(escape_line(phase.name), total=phase.total, left="")
        if phase is not None:
            left = phase.seconds_left()
            shown = "" if left is None else f"about {duration(left)} left"
            self._bars.update(self._bars.task_ids[0], completed=phase.done, left=shown)


def _bars() -> "Bars":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bars

    name = TextColumn("{task.description}", markup=False)
    left = TextColumn("{task.fields[left]}", markup=False)
    columns = name, BarColumn(), MofNCompleteColumn(), left
    # What is printed to stdout stays there, also while a bar is shown.
    console = Console(stderr=True)
    return Bars(*columns, console=console, transient=True, redirect_stdout=False)


def _notebook() -> Any:
    """IPython's shell if this runs in a notebook, else None; IPython is never imported."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell if hasattr(shell, "kernel") else None


@contextmanager
def shown_progress(progress: bool | Progress = True, *, live: bool = True) -> Iterator[Progress]:
    """Show progress; without `live` a debugger can use the terminal.

    progress: whether to show it, or what receives it instead.
    """
    if isinstance(progress, Progress):
        yield progress
        return
    # Python has no stderr if the file is closed.
    if not progress or sys.stderr is None:
        yield Progress()
        return
    terminal = live and sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")
    shown: _Shown
    if (notebook := _notebook()) is not None:
        shown = NotebookProgress(notebook)
    else:
        shown = LiveProgress() if terminal else PlainProgress()
    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(TICK):
            shown.tick()

    ticking = threading.Thread(target=tick, daemon=True)
    if live:
        ticking.start()
    try:
        yield shown
    finally:
        ended.set()
        if live:
            ticking.join()
        shown.close()
