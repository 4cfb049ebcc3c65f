"""What failures cost: each reason is said once, and a method that only fails alike is stopped."""

import bdb
import re
import time
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Self

from harness.errors import RunStoppedError, setting_name
from harness.planning.progress import Progress, named

# They always end the run; quitting the debugger raises the second.
ENDS_RUN = (RunStoppedError, bdb.BdbQuit)
# A method whose first pieces of work, so many, all fail in the same way is stopped.
FIRST = 5
# What differs between equal failures: where in memory an object lies.
ADDRESS = re.compile("0x[0-9a-f]+")
# Reasons that are shown one by one; the tables have all failures.
MOST_REASONS = 10
# Seconds for which a warning waits for others like it.
PATIENCE = 10.0


@dataclass
class _Alike:
    line: str
    count: int
    since: float


@dataclass
class Failures:
    """The failures of one phase of a run. Use as a context manager, which shows what is held.

    Warnings that differ only by the name of the image are shown as one, with their number. Methods
    are stopped unless `keep_going`. remedy: what goes on with a method that is stopped, by default
    settings of a run.
    """

    progress: Progress
    keep_going: bool = False
    remedy: str = ""
    _held: dict[tuple[str, str], _Alike] = field(default_factory=dict)
    _shown: set[tuple[str, str]] = field(default_factory=set)
    _others: int = 0
    # By method: its only failure so far, and how often; None if it differed or something was ok.
    _alike: dict[Hashable, tuple[str, int] | None] = field(default_factory=dict)
    _stopped: dict[Hashable, str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.show()

    def warn(self, name: str, reason: str, what: str = "") -> None:
        """Warn that something failed, `what` telling more of the name: "louvain on "."""
        alike = what, ADDRESS.sub("", reason.replace(name, ""))
        if alike in self._held:
            self._held[alike].count += 1
        elif alike in self._shown or len(self._held.keys() | self._shown) < MOST_REASONS:
            self._held[alike] = _Alike(what + named(name, reason), 1, time.monotonic())
        else:
            self._others += 1
        self.show(PATIENCE)

    def show(self, patience: float = 0.0) -> None:
        """Show the warnings that are held; with `patience` only new ones, so many seconds old."""
        now = time.monotonic()
        for alike, held in list(self._held.items()):
            if patience and (alike in self._shown or now - held.since < patience):
                continue
            more = f" (and {held.count - 1} more like it)" if held.count > 1 else ""
            self.progress.warn(held.line + more)
            self._shown.add(alike)
            del self._held[alike]
        if self._others and not patience:
            self.progress.warn(
                f"{self._others} more failed; `harness export` lists each with its reason"
            )
            self._others = 0

    def sound(self, methods: Iterable[Hashable]) -> None:
        """Never stop these methods: some of their work is ok."""
        self._alike.update(dict.fromkeys(methods))

    def record(self, method: Hashable, label: str, failure: str, what: str = "") -> None:
        """Record how a piece of a method's work ended, with "" as failure if it is ok.

        If that stops the method, a warning begins with the label, unless that is "". It stands for
        those of `warn`, `what` being theirs, that are not shown yet.
        """
        alike = what, ADDRESS.sub("", failure)
        failure = ADDRESS.sub("0x…", failure)
        before, count = self._alike.get(method, (failure, 0)) or ("", 0)
        if not failure or failure != before:
            self._alike[method] = None
            return
        self._alike[method] = failure, count + 1
        if count + 1 == FIRST and not self.keep_going:
            self._stopped[method] = f"stopped, as its first {FIRST} all failed alike: {failure}"
            if label:
                going, again = setting_name("keep_going"), setting_name("retry_failed")
                remedy = self.remedy or f"{going} with {again} goes on"
                self.progress.warn(f"{label}: {self._stopped[method]}; {remedy}")
                if held := self._held.pop(alike, None):
                    held.count -= FIRST
                    if held.count > 0:
                        self._held[alike] = held

    def may_stop(self, method: Hashable, trying: int) -> bool:
        """Whether the pieces of work under way, so many, may end with the method being stopped."""
        if self.keep_going or method in self._stopped:
            return False
        alike = self._alike.get(method, ("", 0))
        return alike is not None and alike[1] + trying >= FIRST

    def stopped(self, method: Hashable) -> str:
        """Why a method is stopped, "" if it is not."""
        return self._stopped.get(method, "")

    def failed_alike(self, method: Hashable) -> str:
        """The failure that everything of a method ended with, "" if there is none."""
        failure, _ = self._alike.get(method) or ("", 0)
        return failure
