"""The report of a run that may go on, for a page that asks for it again and again."""

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.analysis.report.progress import WINDOW, RunProgress, run_progress, seconds_left
from harness.errors import reason_of
from harness.planning.progress import SILENT, Progress
from harness.results.report import report_document
from harness.store import open_for_reading
from harness.store.snapshot import Version, still, version

if TYPE_CHECKING:
    from harness.results.run import Run

# How many times longer than it took to make it a report is left as it is, and seconds at least: the
# processors belong to the run.
RARELY = 3
PAUSE = 2.0


class LiveReport:
    """The page on a run, and its data, as they are now.

    The report is made anew in a thread when the store has changed; until it is there, the last one
    is given. How far the run is, is read whenever it is asked for. Raises HarnessError if there is
    no run that can be read.
    """

    def __init__(self, run: "Run", plugins: Sequence[str | Path], progress: Progress) -> None:
        self._run = run
        self._plugins = plugins
        self._lock = threading.Lock()
        self._seen: deque[tuple[float, RunProgress]] = deque()
        self._busy = False
        self._rests_until = 0.0
        self._problem = ""
        self._found = RunProgress()
        self._progress_of: Version | None = None
        self._progress_until = 0.0
        self._of = version(run.folder)
        self._keep(self._made(progress))

    def page(self) -> bytes:
        """The page, with the data in it, as UTF-8."""
        from harness.views.report.html import html

        return html({**self._document, "progress": self._progress()}).encode()

    def data(self) -> bytes:
        """The data as JSON."""
        from harness.views.report.html import as_json

        return f'{self._text[:-1]},"progress":{as_json(self._progress())}}}'.encode()

    def _progress(self) -> dict[str, Any]:
        """How far the run is, as the page shows it; makes a report in a thread if one is due."""
        with self._lock:
            now, of = time.monotonic(), version(self._run.folder)
            found = self._read_progress(now, of)
            self._seen.append((now, found))
            while now - self._seen[0][0] > WINDOW:
                self._seen.popleft()
            left = seconds_left(self._seen)
            due = self._of != of and not self._busy and now >= self._rests_until
            self._busy = self._busy or due
        if due:
            threading.Thread(target=self._renew, args=(of,), daemon=True).start()
        return {
            "done": found.done,
            "failed": found.failed,
            "skipped": found.skipped,
            "total": found.total,
            "secondsLeft": None if left is None else round(left),
            # Until the page has the last report, it has to ask.
            "finished": found.finished and self._of == self._progress_of == of,
            "steps": self._problem or found.step,
        }

    def _read_progress(self, now: float, of: Version) -> RunProgress:
        """How far the run is, or was shortly before if reading takes long."""
        if self._progress_of != of and now >= self._progress_until:
            with open_for_reading(self._run.folder) as store:
                self._found = run_progress(store)
            self._progress_of = of
            self._progress_until = now + RARELY * (time.monotonic() - now)
        return self._found

    def _renew(self, of: Version) -> None:
        began = time.monotonic()
        try:
            document = self._made(SILENT)
        except Exception as error:  # a run that goes on may be in any state
            document, problem = None, f"The report cannot be made anew: {reason_of(error)}"
        else:
            problem = ""
        now = time.monotonic()
        with self._lock:
            self._problem, self._busy = problem, False
            self._rests_until = now + max(PAUSE, RARELY * (now - began))
            if document is not None:
                self._keep(document)
                self._of = of

    def _keep(self, document: dict[str, Any]) -> None:
        from harness.views.report.html import as_json

        self._document, self._text = document, as_json(document)

    def _made(self, progress: Progress) -> dict[str, Any]:
        """The data without progress; of a run without a plan there is nothing but its name."""
        from harness.views.report.document import nothing_yet

        folder = self._run.folder
        with open_for_reading(folder) as store:
            planned = store.is_planned()
        if planned:
            known = self._run._registry(self._plugins)
            with still(folder) as place:
                run = replace(self._run, folder=place)
                document = report_document([run], [known], progress, live=True)
        else:
            document = nothing_yet(folder.absolute().name)
        del document["progress"]
        return document
