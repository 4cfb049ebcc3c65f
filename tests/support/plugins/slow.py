"""Clusterers that take their time, and one that takes what is not its own."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class Slow(harness.Clusterer):
    """Halves, after some seconds."""

    name: ClassVar[str] = "slow"
    seconds: float = 0.1

    def cluster(self, graph: harness.Graph, *, seed: int) -> Any:
        time.sleep(self.seconds)
        return np.arange(graph.n) % 2


@dataclass(frozen=True)
class Waiting(harness.Clusterer):
    """Halves, as soon as a file is there, or after a minute."""

    name: ClassVar[str] = "waiting"
    path: str = ""

    def cluster(self, graph: harness.Graph, *, seed: int) -> Any:
        deadline = time.monotonic() + 60
        while not Path(self.path).exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        return np.arange(graph.n) % 2


@dataclass(frozen=True)
class Untidy(harness.Clusterer):
    """Removes the run's maps, which are below the folder that it is started in."""

    name: ClassVar[str] = "untidy"

    def cluster(self, graph: harness.Graph, *, seed: int) -> Any:
        for path in Path.cwd().glob("*/maps/*.npy"):
            path.unlink()
        return np.arange(graph.n) % 2


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [Slow, Waiting, Untidy]
