"""A clusterer that kills the process which started its own."""

import os
import signal
from dataclasses import dataclass
from typing import ClassVar

import harness


@dataclass(frozen=True)
class Parricide(harness.Clusterer):
    """Ends every job that computes it."""

    name: ClassVar[str] = "parricide"

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Integers:
        """Nothing: the job is dead."""
        os.kill(os.getppid(), signal.SIGKILL)
        raise AssertionError


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [Parricide]
