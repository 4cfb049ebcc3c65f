"""The file of `--log`: what a command says on stderr, and what happens, with time stamps."""

import logging
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, suppress
from datetime import datetime
from pathlib import Path
from typing import TextIO, cast

from harness.cli.streams import Logged
from harness.errors import HarnessError, escape_controls, escape_line
from harness.planning.progress import LOGGER
from harness.plugin.installed import harness_version
from harness.written import one_line_errors

# Before the further lines of an entry.
INDENT = "    "


def logged(path: Path, given: Sequence[str], command: Callable[[], int]) -> int:
    """Run a command, given its words, and append what happens to a file.

    Returns the exit code. Raises HarnessError before the command begins if the file cannot be
    written. If it cannot be written later, a warning says so, and the command goes on.
    """
    began = time.monotonic()
    with _appending(path):
        line = shlex.join(["harness", *given])
        LOGGER.info("start: %s", line)
        LOGGER.info("version %s, in %s", harness_version(), Path.cwd())
        ended = "an error"
        try:
            code = command()
            ended = f"exit status {code}"
            return code
        except HarnessError as error:
            LOGGER.error("%s", error)
            raise
        except KeyboardInterrupt:
            ended = "an interrupt"
            raise
        except Exception:
            LOGGER.exception("the command failed")
            raise
        finally:
            LOGGER.info("end: %s after %.1f s", ended, time.monotonic() - began)


@contextmanager
def _appending(path: Path) -> Iterator[None]:
    with one_line_errors(path):
        # Its disk may be full.
        with path.open("a") as file:
            file.write("\n")
        handler = _File(path, "a", encoding="utf-8", errors="backslashreplace")
    before = LOGGER.level
    LOGGER.setLevel(logging.INFO)
    LOGGER.addHandler(handler)
    try:
        with redirect_stderr(cast(TextIO, Logged(sys.stderr, _say))):
            yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(before)
        with suppress(OSError):
            handler.close()


def _say(line: str) -> None:
    """Log a line of stderr."""
    LOGGER.log(logging.WARNING if line.startswith("warning: ") else logging.INFO, "%s", line)


class _File(logging.FileHandler):
    """Entries of a time, a level and a text, whose further lines are indented."""

    def format(self, record: logging.LogRecord) -> str:
        time = (
            datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
        )
        said = super().format(record)
        first, *more = escape_controls(said).splitlines() or [""]
        lines = [f"{time} {record.levelname.lower():<7} {first}", *(INDENT + each for each in more)]
        return "\n".join(lines)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Say once that the file cannot be written any more."""
        LOGGER.removeHandler(self)
        problem = f"{self.baseFilename}: cannot be written any more: {sys.exception()}"
        print(f"warning: {escape_line(problem)}", file=sys.stderr)
