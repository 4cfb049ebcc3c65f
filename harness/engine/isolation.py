"""What a job may change beyond itself, and what is put back when it ends.

A plugin that seeds the global generators, moves to another folder, sets environment variables
or takes more threads must not change what the next cell computes. Libraries that it patches
cannot be put back.
"""

import contextlib
import ctypes
import locale
import os
import random
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
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
    timers: Set[int]
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
        # Read by setting it; meanwhile other threads' files are private rather than public.
        permissions = os.umask(0o077)
        os.umask(permissions)
        return cls(
            folder=os.open(".", os.O_RDONLY),
            environment=dict(os.environ),
            permissions=permissions,
            handlers={number: signal.getsignal(number) for number in SIGNALS},
            timers={timer for timer in TIMERS if signal.getitimer(timer)[0]},
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
            if timer not in self.timers:
                signal.setitimer(timer, 0)
        os.fchdir(self.folder)
        self._restore_environment()
        os.umask(self.permissions)
        # Other threads cannot have changed a handler.
        if threading.current_thread() is threading.main_thread():
            for number, handler in self.handlers.items():
                if handler is not None and signal.getsignal(number) is not handler:
                    signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, self.blocked)
        self.lift_limits()
        sys.stdin, sys.stdout, sys.stderr = self.streams
        sys.path[:] = self.paths
        np.seterr(**self.float_errors)
        sys.setrecursionlimit(self.recursion)
        if locale.setlocale(locale.LC_ALL) != self.locale:
            locale.setlocale(locale.LC_ALL, self.locale)

    def _restore_environment(self) -> None:
        # Never cleared: other threads may read it.
        for name in os.environ.keys() - self.environment.keys():
            del os.environ[name]
        for name, value in self.environment.items():
            if os.environ.get(name) != value:
                os.environ[name] = value

    def limit_memory(self, allowance: int) -> None:
        """Limit the address space to `allowance` bytes more than the process holds now."""
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


@contextlib.contextmanager
def borrowed(threads: ThreadLimit) -> Iterator[ProcessState]:
    """Lend the calling process to one job, in the state that a worker process would have.

    Puts back what `ProcessState` covers, the global random generators and the threads of all
    libraries. `threads` is the same object for all jobs: it knows which libraries are loaded.
    """
    state = replace(ProcessState.now(), threads=threads)
    counts = threads.counts()
    reset_generators = _generators()
    np.seterr(divide="warn", over="warn", under="ignore", invalid="warn")
    try:
        yield state
    finally:
        threads.restore(counts)
        state.restore()
        os.close(state.folder)
        reset_generators()


def _generators() -> Callable[[], None]:
    """A function that puts the global random generators back into their present state."""
    restorers: list[tuple[Callable[[Any], Any], Any]] = [
        (random.setstate, random.getstate()),
        (np.random.set_state, np.random.get_state()),
    ]
    torch = sys.modules.get("torch")
    if torch is not None:
        restorers.append((torch.set_rng_state, torch.get_rng_state()))
        if torch.cuda.is_initialized():
            restorers.append((torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all()))

    def reset() -> None:
        for restore, generator_state in restorers:
            restore(generator_state)

    return reset


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
