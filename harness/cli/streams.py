"""The standard streams of the command: open, printable, and safe to print to."""

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any, TextIO, cast

from harness.errors import escape_controls


@contextmanager
def standard_streams() -> Iterator[None]:
    """Let `print` escape what terminals obey, and never fail on stderr.

    A stream that the caller closed goes nowhere: otherwise the next file that is opened gets its
    number, and the messages.
    """
    _open_closed()
    printed = _Escaped(_Required(_printable(sys.stdout, 1)))
    said = _Escaped(_Optional(_printable(sys.stderr, 2)))
    with redirect_stdout(cast(TextIO, printed)), redirect_stderr(cast(TextIO, said)):
        yield


def exact_stdout() -> TextIO:
    """Stdout for data: escaped on a terminal, exact in a file or a pipe."""
    if sys.stdout.isatty():
        return sys.stdout
    return cast(TextIO, getattr(sys.stdout, "rich_proxied_file", sys.stdout))


def _open_closed() -> None:
    """Open every standard stream that is closed, for child processes too."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)


def _printable(stream: TextIO | None, number: int) -> TextIO:
    """The stream, on which every character can be printed; nowhere if there is none."""
    if stream is None:
        return open(number, "w", encoding="utf-8", errors="replace", closefd=False)
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream


class OutputError(Exception):
    """Stdout cannot be written; unlike an OSError, nobody takes it for an error of a file."""

    def __init__(self, error: OSError) -> None:
        super().__init__(f"the output cannot be written: {error.strerror}")
        self.is_unread = isinstance(error, BrokenPipeError)


def _discard(stream: Any) -> None:
    """Send what a stream still holds, and all that follows, nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class _Forwarding:
    """A stream that writes to another one, and is like it in all else."""

    def __init__(self, stream: "TextIO | _Forwarding") -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        return self._stream.write(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)


class Logged(_Forwarding):
    """Passes on whole lines to `log`, too, except those of Rich and those written `unlogged`."""

    def __init__(self, stream: "TextIO | _Forwarding", log: Callable[[str], None]) -> None:
        super().__init__(stream)
        self._log = log
        self._line = ""

    @property
    def unlogged(self) -> "TextIO | _Forwarding":
        """The stream beneath, for what is logged elsewhere."""
        return self._stream

    def write(self, text: str) -> int:
        """Write, and log the lines that end."""
        *lines, self._line = (self._line + text).split("\n")
        for line in filter(None, lines):
            self._log(line)
        return super().write(text)


class _Escaped(_Forwarding):
    """Escapes control characters."""

    @property
    def rich_proxied_file(self) -> "TextIO | _Forwarding":
        """Where Rich prints: it styles text by control characters, and tables escape their own."""
        return self._stream

    def write(self, text: str) -> int:
        return self._stream.write(escape_controls(text))


class _Required(_Forwarding):
    """Goes nowhere once it cannot be written, which it says by an OutputError."""

    def write(self, text: str) -> int:
        with self._failing():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._failing():
            self._stream.flush()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # What it still holds would fail again at exit.
            _discard(self._stream)
            raise OutputError(error) from error


class _Optional(_Required):
    """Goes nowhere once it cannot be written: no message is worth a result."""

    @contextmanager
    def _failing(self) -> Iterator[None]:
        with suppress(OutputError), super()._failing():
            yield
