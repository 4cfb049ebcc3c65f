"""Kills the processes of a coordinator that died: `python guardian.py TOKEN`.

Workers and all processes that they start carry a mark in their environment, so that they are
found even in sessions of their own, adopted by init, or stuck in native code. A process that
erases its environment is not found, nor is any on a system without /proc. This file is run by its
path and imports only the standard library, so that it starts quickly. Its standard input closes
when the coordinator dies.
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
from typing import Self

MARK = "ATTENTION_HARNESS_HOST"
# Seconds between checks of the parent, as a forked sibling may hold the standard input open.
CHECK_INTERVAL = 1.0
# Passes over the processes: one may start another while the list is read.
SWEEPS = 20


class Guardian:
    """Starts the guardian process and makes the marks. Use as a context manager."""

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
            # It must survive a terminal's Ctrl-C, and block no folder.
            start_new_session=True,
            cwd="/",
        )
        return self

    def mark(self) -> str:
        """A new mark, for one worker and the processes that it starts."""
        return f"{self._token}/{next(self._numbers)}/"

    def __exit__(self, *raised: object) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def end_marked(mark: str) -> None:
    """Kill every process whose mark starts with this one; does not wait for them."""
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
        # It may have ended, or be another user's; a dead process has an empty environment.
        with contextlib.suppress(OSError):
            environment = (folder / "environ").read_bytes()
            if any(entry.startswith(variable) for entry in environment.split(b"\0")):
                found.append(int(folder.name))
    return found


def _watch(token: str) -> None:
    coordinator = os.getppid()
    while os.getppid() == coordinator and not select.select([0], [], [], CHECK_INTERVAL)[0]:
        pass
    end_marked(token)


if __name__ == "__main__":
    _watch(sys.argv[1])
