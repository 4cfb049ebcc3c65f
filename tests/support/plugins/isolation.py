"""Clusterers that hang, crash, eat, flood and meddle, each in the way that `mode` names."""

import ctypes
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import numpy as np

import harness

FOREVER = 1234.5


def alike(graph: harness.Graph) -> Any:
    return np.zeros(graph.n, dtype=int)


@dataclass(frozen=True)
class Ending(harness.Clusterer):
    """Ends its process."""

    name: ClassVar[str] = "ending"
    mode: str

    def cluster(self, graph: harness.Graph, *, seed: int) -> Any:
        print("last words", file=sys.stderr, flush=True)
        match self.mode:
            case "exit":
                sys.exit(3)
            case "interrupt":
                raise KeyboardInterrupt
            case "hard exit":
                os._exit(0)
            case "abort":
                os.abort()
            case "null":
                ctypes.string_at(0)
            case signal_name:
                os.kill(os.getpid(), signal.Signals[signal_name])
                time.sleep(FOREVER)
        return alike(graph)


@dataclass(frozen=True)
class Endless(harness.Clusterer):
    """Never comes back."""

    name: ClassVar[str] = "endless"
    mode: str

    def cluster(self, graph: harness.Graph, *, seed: int) -> Any:
        match self.mode:
            case "sleep":
                time.sleep(FOREVER)
            case "native":
                # Millions of years inside one call that never lets the interpreter go.
                re.match(r"(a+)+$", "a" * 64 + "b")
            case "deaf":
                for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
                    signal.signal(number, signal.SIG_IGN)
                while True:
                    pass
            case "stopped":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "children":
                # One in the session of the worker, one in its own, one forked and adopted by init.
                subprocess.Popen(["sleep", str(FOREVER)])
                subprocess.Popen(["sleep", str(FOREVER)], start_new_session=True)
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        time.sleep(FOREVER)
                    os._exit(0)
                time.sleep(FOREVER)
            case "fork and die":
                # The child inherits the pipes, so that they stay open.
                if os.fork() == 0:
                    os.setsid()
                    time.sleep(FOREVER)
                os.kill(os.getpid(), signal.SIGSEGV)
        return alike(graph)


@dataclass(frozen=True)
class Greedy(harness.Clusterer):
    """Takes memory until there is no more, or all at once, or keeps it from cell to cell."""

    name: ClassVar[str] = "greedy"
    mode: str

    def cluster(self, graph: harness.Graph, *, seed: int) -> Any:
        held = _held if self.mode == "leak" else []
        if self.mode == "at once":
            np.ones(1 << 40)
        for _ in range(6 if self.mode == "leak" else 10_000):
            held.append(bytearray(1 << 24))
        return alike(graph)


_held: list[bytearray] = []


@dataclass(frozen=True)
class Flooding(harness.Clusterer):
    """Prints without end."""

    name: ClassVar[str] = "flooding"

    def cluster(self, graph: harness.Graph, *, seed: int) -> Any:
        while True:
            os.write(2, b"flood " * 10_000)


class Unspeakable(Exception):  # noqa: N818 - no other name would say it
    """Neither pickled nor printed."""

    def __str__(self) -> str:
        raise RuntimeError("no words")

    def __reduce__(self) -> NoReturn:
        raise RuntimeError("no pickle")


@dataclass(frozen=True)
class Raising(harness.Clusterer):
    """Raises what is hard to tell of."""

    name: ClassVar[str] = "hard-to-tell"
    mode: str

    def cluster(self, graph: harness.Graph, *, seed: int) -> Any:
        if self.mode == "unspeakable":
            raise Unspeakable
        if self.mode == "long":
            raise ValueError("x" * 50_000_000)
        if self.mode == "deep":
            return self.cluster(graph, seed=seed)
        raise type("Local", (Exception,), {"held": lambda: threading.Lock()})("with a lambda")


@dataclass(frozen=True)
class Wrong(harness.Clusterer):
    """Returns what are no labels."""

    name: ClassVar[str] = "wrong"
    mode: str

    def cluster(self, graph: harness.Graph, *, seed: int) -> Any:
        labels = alike(graph)
        match self.mode:
            case "short":
                return labels[1:]
            case "floats":
                return labels.astype(float)
            case "nan":
                return np.full(graph.n, np.nan)
            case "objects":
                return labels.astype(object)
            case "below":
                return labels - 2
            case "list":
                return labels.tolist()
            case "none":
                return None
            case "weights":
                graph.adjacency.data[:] = 1.0
            case "forced weights":
                graph.adjacency.data.flags.writeable = True
                graph.adjacency.data[:] = 1.0
            case "other weights":
                graph.adjacency.data = np.ones(graph.edges)
            case "fewer edges":
                graph.adjacency.resize((graph.n, graph.n))
                graph.adjacency.indptr = np.zeros(graph.n + 1, dtype=np.int32)
        return labels


@dataclass(frozen=True)
class Meddling(harness.Clusterer):
    """Changes all that it finds around it, and clusters well."""

    name: ClassVar[str] = "meddling"

    def cluster(self, graph: harness.Graph, *, seed: int) -> Any:
        import torch
        from threadpoolctl import threadpool_limits

        random.seed(1)
        np.random.seed(1)
        torch.manual_seed(1)
        threadpool_limits(2)
        torch.set_num_threads(2)
        os.environ.update(HOME="/nowhere", OMP_NUM_THREADS="2", MEDDLED="yes")
        os.chdir("/")
        os.umask(0o777)
        np.seterr(all="raise")
        sys.path.insert(0, "/nowhere")
        sys.setrecursionlimit(500)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        warnings.simplefilter("error")
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        sys.stdout = None  # type: ignore[assignment]
        return alike(graph)


@dataclass(frozen=True)
class Lingering(harness.Clusterer):
    """Leaves something behind that goes on."""

    name: ClassVar[str] = "lingering"
    mode: str

    def cluster(self, graph: harness.Graph, *, seed: int) -> Any:
        match self.mode:
            case "thread":
                threading.Thread(target=time.sleep, args=(FOREVER,), daemon=True).start()
            case "child":
                subprocess.Popen(["sleep", str(FOREVER)])
            case "orphan":
                subprocess.run(["sh", "-c", f"setsid sleep {FOREVER} &"], check=True)
        return alike(graph)


@dataclass(frozen=True)
class Observing(harness.Clusterer):
    """Says what it finds around it, as diagnostics."""

    name: ClassVar[str] = "observing"

    def cluster(self, graph: harness.Graph, *, seed: int) -> Any:
        import torch
        from threadpoolctl import threadpool_info

        permissions = os.umask(0)
        os.umask(permissions)
        found = {
            "random": random.random(),
            "numpy": np.random.random(),
            "torch": torch.rand(1).item(),
            "torch threads": torch.get_num_threads(),
            "threads": max(library["num_threads"] for library in threadpool_info()),
            "environment": float(
                os.environ["OMP_NUM_THREADS"] == "1" and "MEDDLED" not in os.environ
            ),
            "root": float(Path.cwd() == Path("/")),
            "permissions": permissions,
            "underflow": float(np.geterr()["under"] == "raise"),
            "paths": float("/nowhere" in sys.path),
            "recursion": sys.getrecursionlimit(),
            "interrupt": float(signal.getsignal(signal.SIGINT) == signal.SIG_IGN),
            "alarm": float(signal.getitimer(signal.ITIMER_REAL)[0] > 0),
            "stdout": float(sys.stdout is None),
            "blocked": float(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())),
            "errors": float(any(action == "error" for action, *_ in warnings.filters)),
            "process": os.getpid(),
        }
        return harness.Partition(alike(graph), found)


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [
        Ending,
        Endless,
        Greedy,
        Flooding,
        Raising,
        Wrong,
        Meddling,
        Lingering,
        Observing,
    ]
