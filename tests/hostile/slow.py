"""A clusterer that takes its time."""

import time
from dataclasses import dataclass
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


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [Slow]
