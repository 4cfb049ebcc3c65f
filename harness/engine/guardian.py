"""Ends the processes of a coordinator that died: `python guardian.py TOKEN`, lifeline as stdin.

Hosts and all that they start carry a mark in their environment, so that they are found wherever
they went: in sessions of their own, adopted by init, or caught in native code. What scrubs its
environment is not found, nor is anything where the system has no /proc. The file is run by its
path, away from the package, so that it starts in no time; it imports the standard library only.
"""

import contextlib
import itertools
import os
import secrets
import select
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

MARK = "ATTENTION_HARNESS_HOST"
# Seconds between looks at who the parent is, for a lifeline that a forked sibling holds open.
LOOK = 1.0
# A process may start another one while the list of them is read.
SWEEPS = 20


class Guardian:
    """A process that outlives the coordinator by a moment. Use as a context manager."""

    def __init__(self) -> None:
        self._token = secrets.token_hex(8)
        self._numbers = itertools.count()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, self._token],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Neither a terminal's Ctrl-C nor a full folder is its business.
            start_new_session=True,
            cwd="/",
        )
        return self

    def mark(self) -> str:
        """A new mark, for one host and what it starts."""
        return f"{self._token}/{next(self._numbers)}/"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def end_marked(mark: str) -> None:
    """Kill every process whose mark begins so, and wait for none of them."""
    for _ in range(SWEEPS):
        found = list(_marked(f"{MARK}={mark}".encode()))
        if not found:
            return
        for process in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)


def _marked(variable: bytes) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        # Gone meanwhile, or another user's; the environment of the dead is empty.
        with contextlib.suppress(OSError):
            environment = (folder / "environ").read_bytes()
            if any(entry.startswith(variable) for entry in environment.split(b"\0")):
                found.append(int(folder.name))
    return found


def _watch(token: str) -> None:
    coordinator = os.getppid()
    while os.getppid() == coordinator and not select.select([0], [], [], LOOK)[0]:
        pass
    end_marked(token)


if __name__ == "__main__":
    _watch(sys.argv[1])
