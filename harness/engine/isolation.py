"""The state of the process in which a job runs: threads, memory, and what the job may change.

A plugin that seeds the global random generators, moves to another folder, sets environment
variables or takes more threads must not change what the next job computes. All of that is put
back; a library that a plugin patches is not.
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
LIMITS = (resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU)
SIGNALS = tuple(set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP})
STREAMS = ("stdin", "stdout", "stderr")
TIMERS = (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF)
# Linux' number of the wish to be the parent of all orphans below.
PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """On Linux, become the parent of every descendant whose own parent dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def address_space() -> int:
    """Bytes of address space that this process holds; 0 if the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return 0
    return pages * resource.getpagesize()


def peak_memory(process: int | str = "self") -> int | None:
    """Peak resident memory in bytes of a process since it called `forget_peak_memory`."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def forget_peak_memory() -> None:
    """Measure this process' peak from now on, if the system can."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def thread_variables(count: int) -> dict[str, str]:
    """The environment variables that libraries read their number of threads from."""
    return dict.fromkeys(THREAD_VARIABLES, str(count))


def _threads() -> dict[str, int]:
    """The threads of each loaded library."""
    found = {library.filepath: library.num_threads for library in _libraries(len(sys.modules))}
    torch = sys.modules.get("torch")
    return found if torch is None else {**found, "torch": torch.get_num_threads()}


def _restore_threads(counts: Mapping[str, int], default: int | None = None) -> None:
    """Set the threads of each library; one without a count gets the default, or the most."""
    most = default or max(counts.values(), default=os.cpu_count() or 1)
    for library in _libraries(len(sys.modules)):
        count = counts.get(library.filepath, most)
        if library.num_threads != count:
            library.set_num_threads(count)
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != counts.get("torch", most):
        torch.set_num_threads(counts.get("torch", most))


@lru_cache(maxsize=1)
def _libraries(modules: int) -> list[Any]:
    """The loaded libraries; found again, which takes milliseconds, when modules were imported."""
    from threadpoolctl import ThreadpoolController

    return list(ThreadpoolController().lib_controllers)


class ProcessState:
    """The state of the process when this was made, and how to return to it."""

    def __init__(self) -> None:
        self._limits = {limit: resource.getrlimit(limit) for limit in LIMITS}
        self._address_space = address_space()
        self.folder = os.open(".", os.O_RDONLY)
        # Read by setting it; files that other threads create meanwhile are private, not public.
        permissions = os.umask(0o077)
        os.umask(permissions)
        timers = [timer for timer in TIMERS if not signal.getitimer(timer)[0]]
        handlers = {number: signal.getsignal(number) for number in SIGNALS}
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
        self._restore: list[Callable[[], object]] = [
            lambda: [signal.setitimer(timer, 0) for timer in timers],
            partial(os.fchdir, self.folder),
            partial(_restore_environment, dict(os.environ)),
            partial(os.umask, permissions),
            partial(_restore_handlers, handlers),
            partial(signal.pthread_sigmask, signal.SIG_SETMASK, blocked),
            self.lift_limits,
            *(partial(setattr, sys, name, getattr(sys, name)) for name in STREAMS),
            partial(_restore_paths, list(sys.path)),
            partial(np.seterr, **np.geterr()),
            partial(sys.setrecursionlimit, sys.getrecursionlimit()),
            partial(_restore_locale, locale.setlocale(locale.LC_ALL)),
        ]

    def restore(self) -> None:
        """Return to this state; the random generators and threads stay as they are."""
        for restore in self._restore:
            restore()

    def limit_memory(self, allowance: int) -> None:
        """Limit the address space to `allowance` bytes more than the process holds now."""
        _, most = self._limits[resource.RLIMIT_AS]
        wanted = address_space() + allowance
        if most != resource.RLIM_INFINITY:
            wanted = min(wanted, most)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_AS, (wanted, most))

    def lift_limits(self) -> None:
        """Undo `limit_memory`, and every change that a job made to limits."""
        for limit, both in self._limits.items():
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(limit, both)

    def is_spent(self, allowance: int) -> bool:
        """Whether a job left threads, children, lower limits or more memory than its allowance."""
        return (
            threading.active_count() > 1
            or _has_children()
            or any(resource.getrlimit(limit) != both for limit, both in self._limits.items())
            or address_space() > self._address_space + allowance
        )


def _has_children() -> bool:
    try:
        # This may reap one, for which nobody waits: a process with children is replaced.
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def _restore_environment(environment: Mapping[str, str]) -> None:
    # It is never empty meanwhile: other threads may read it.
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    for name, value in environment.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def _restore_handlers(handlers: Mapping[signal.Signals, Any]) -> None:
    # Only the main thread can set handlers.
    if threading.current_thread() is threading.main_thread():
        for number, handler in handlers.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)


def _restore_paths(paths: Sequence[str]) -> None:
    sys.path[:] = paths


def _restore_locale(name: str) -> None:
    if locale.setlocale(locale.LC_ALL) != name:
        locale.setlocale(locale.LC_ALL, name)


def prepare(*, seed: int, threads: int) -> None:
    """Set the threads of numerical libraries, loaded or not, and seed the random generators.

    A job has one thread whatever the number of workers: the order of additions, and with it the
    last digit, depends on it, and more threads than cores are many times slower. Only extraction
    may get more.
    """
    os.environ.update(thread_variables(threads))
    _restore_threads({}, threads)
    random.seed(seed)
    np.random.seed(seed)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)


@contextlib.contextmanager
def borrowed() -> Iterator[None]:
    """Lend the calling process to one job; put back generators and threads too."""
    state = ProcessState()
    restore_threads = partial(_restore_threads, _threads())
    restore_generators = list(_generators())
    # As in a new process.
    np.seterr(divide="warn", over="warn", under="ignore", invalid="warn")
    try:
        yield
    finally:
        restore_threads()
        state.restore()
        os.close(state.folder)
        for restore in restore_generators:
            restore()


def _generators() -> Iterator[Callable[[], object]]:
    """Functions that return the global random generators to their present state."""
    yield partial(random.setstate, random.getstate())
    yield partial(np.random.set_state, np.random.get_state())
    torch = sys.modules.get("torch")
    if torch is not None:
        yield partial(torch.set_rng_state, torch.get_rng_state())
        if torch.cuda.is_initialized():
            yield partial(torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all())
