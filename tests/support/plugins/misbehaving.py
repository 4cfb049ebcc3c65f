"""Clusterers that break the rules, one way each."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import harness

Labels = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Raising(harness.Clusterer):
    """Raises an exception of two lines."""

    name: ClassVar[str] = "raising"

    def cluster(self, graph: harness.Graph, *, seed: int) -> Labels:
        raise RuntimeError("first line\nsecond line")


@dataclass(frozen=True)
class Exiting(harness.Clusterer):
    """Ends the interpreter without a word, and says that all is well."""

    name: ClassVar[str] = "exiting"

    def cluster(self, graph: harness.Graph, *, seed: int) -> Labels:
        os._exit(0)


@dataclass(frozen=True)
class Killed(harness.Clusterer):
    """Dies of a signal after having written to stderr."""

    name: ClassVar[str] = "killed"

    def cluster(self, graph: harness.Graph, *, seed: int) -> Labels:
        print("last words", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
        return np.zeros(graph.n, dtype=int)


@dataclass(frozen=True)
class Sleeping(harness.Clusterer):
    """Gives the first level, then never comes back, nor does the child that it starts."""

    name: ClassVar[str] = "sleeping"

    def cluster(self, graph: harness.Graph, *, seed: int) -> Labels:
        if graph.level > 0:
            subprocess.Popen(["sleep", "1234.5"])
            time.sleep(1234.5)
        return np.zeros(graph.n, dtype=int)


@dataclass(frozen=True)
class Fractional(harness.Clusterer):
    """Returns labels that are no integers."""

    name: ClassVar[str] = "fractional"

    def cluster(self, graph: harness.Graph, *, seed: int) -> Any:
        return np.full(graph.n, 0.5)


@dataclass(frozen=True)
class Printing(harness.Clusterer):
    """Prints to stdout, which is nobody's business."""

    name: ClassVar[str] = "printing"

    def cluster(self, graph: harness.Graph, *, seed: int) -> Labels:
        print("chatter" * 1000, flush=True)
        return np.arange(graph.n) % 2


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [Raising, Exiting, Killed, Sleeping, Fractional, Printing]
