"""What a job may change beyond itself, and what is put back when it ends.

A plugin that seeds the global generators, moves to another folder, sets environment variables
or takes more threads must not change what the next cell computes. Libraries that it patches
cannot be put back.
"""

import contextlib
import ctypes
import faulthandler
import locale
import os
import random
import resource
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.engine.memory import address_space
from harness.engine.threads import ThreadLimit

LIMITS = (resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU)
SIGNALS = tuple(set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP})
TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
# Linux' number of the wish to be the parent of all orphans below.
PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Let processes whose parent dies, below this one, become its children, where that is known."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@dataclass(frozen=True)
class ProcessState:
    """The state of a process, as it was when this was taken."""

    folder: int
    environment: Mapping[str, str]
    permissions: int
    handlers: Mapping[signal.Signals, Any]
    blocked: frozenset[signal.Signals | int]
    limits: Mapping[int, tuple[int, int]]
    streams: tuple[Any, Any, Any]
    paths: tuple[str, ...]
    float_errors: Mapping[str, Any]
    recursion: int
    locale: str
    address_space: int
    threads: ThreadLimit

    @classmethod
    def now(cls) -> "ProcessState":
        """The state at this moment."""
        permissions = os.umask(0)
        os.umask(permissions)
        return cls(
            folder=os.open(".", os.O_RDONLY),
            environment=dict(os.environ),
            permissions=permissions,
            handlers={number: signal.getsignal(number) for number in SIGNALS},
            blocked=frozenset(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
            limits={limit: resource.getrlimit(limit) for limit in LIMITS},
            streams=(sys.stdin, sys.stdout, sys.stderr),
            paths=tuple(sys.path),
            float_errors=np.geterr(),
            recursion=sys.getrecursionlimit(),
            locale=locale.setlocale(locale.LC_ALL),
            address_space=address_space(),
            threads=ThreadLimit(),
        )

    def prepare(self, *, seed: int, threads: int) -> None:
        """Set the threads of a job, and seed the global random generators."""
        self.threads.set(threads)
        random.seed(seed)
        np.random.seed(seed)
        torch = sys.modules.get("torch")
        if torch is not None:
            torch.manual_seed(seed)

    def restore(self) -> None:
        """Put everything back that can be."""
        for timer in TIMERS:
            signal.setitimer(timer, 0)
        faulthandler.cancel_dump_traceback_later()
        os.fchdir(self.folder)
        if os.environ != self.environment:
            os.environ.clear()
            os.environ.update(self.environment)
        os.umask(self.permissions)
        for number, handler in self.handlers.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, self.blocked)
        self.lift_limits()
        sys.stdin, sys.stdout, sys.stderr = self.streams
        sys.path[:] = self.paths
        np.seterr(**self.float_errors)
        sys.setrecursionlimit(self.recursion)
        locale.setlocale(locale.LC_ALL, self.locale)

    def limit_memory(self, allowance: int) -> None:
        """Let the process take so many bytes more of address space than it holds now."""
        _, most = self.limits[resource.RLIMIT_AS]
        wanted = address_space() + allowance
        if most != resource.RLIM_INFINITY:
            wanted = min(wanted, most)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (wanted, most))

    def lift_limits(self) -> None:
        """Undo `limit_memory`, and what else was done to limits."""
        for limit, both in self.limits.items():
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(limit, both)

    def is_spent(self, allowance: int) -> bool:
        """Whether the process has been left in a state in which it should do no other job.

        That is: threads of Python's or processes that it started go on, a limit cannot be raised
        to what it was, or it holds more than its allowance.
        """
        return (
            threading.active_count() > 1
            or _has_children()
            or any(resource.getrlimit(limit) != both for limit, both in self.limits.items())
            or address_space() > self.address_space + allowance
        )


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
