"""Scores that break the rules, one way each, and one that keeps them."""

import os
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class Nodes(harness.Score):
    """The number of assigned nodes."""

    name: ClassVar[str] = "nodes"
    higher_is_better: ClassVar[bool] = True
    plus: float = 0.0

    def score(self, labelled: harness.LabelledGraph) -> float:
        return float(np.sum(labelled.labels >= 0)) + self.plus


@dataclass(frozen=True)
class Raising(harness.Score):
    """Raises an exception of two lines."""

    name: ClassVar[str] = "raising"
    higher_is_better: ClassVar[bool] = True

    def score(self, labelled: harness.LabelledGraph) -> float:
        raise RuntimeError("first line\nsecond line")


@dataclass(frozen=True)
class Exiting(harness.Score):
    """Ends the interpreter."""

    name: ClassVar[str] = "exiting"
    higher_is_better: ClassVar[bool] = True

    def score(self, labelled: harness.LabelledGraph) -> float:
        os._exit(0)


@dataclass(frozen=True)
class Sleeping(harness.Score):
    """Never comes back."""

    name: ClassVar[str] = "sleeping"
    higher_is_better: ClassVar[bool] = True

    def score(self, labelled: harness.LabelledGraph) -> float:
        time.sleep(1234.5)
        return 0.0


@dataclass(frozen=True)
class Textual(harness.Score):
    """Returns text."""

    name: ClassVar[str] = "textual"
    higher_is_better: ClassVar[bool] = True

    def score(self, labelled: harness.LabelledGraph) -> Any:
        return "1.0"


@dataclass(frozen=True)
class Infinite(harness.Score):
    """Returns what is not finite."""

    name: ClassVar[str] = "infinite"
    higher_is_better: ClassVar[bool] = True

    def score(self, labelled: harness.LabelledGraph) -> float:
        return np.inf


@dataclass(frozen=True)
class Beyond(harness.Score):
    """Returns what is not in its range."""

    name: ClassVar[str] = "beyond"
    higher_is_better: ClassVar[bool] = True
    range: ClassVar[tuple[float, float]] = (0, 1)

    def score(self, labelled: harness.LabelledGraph) -> float:
        return 1.5


@dataclass(frozen=True)
class Undefined(harness.Score):
    """Is undefined everywhere."""

    name: ClassVar[str] = "undefined"
    higher_is_better: ClassVar[bool] = False

    def score(self, labelled: harness.LabelledGraph) -> float:
        return np.nan


@dataclass(frozen=True)
class Altering(harness.Score):
    """Replaces the weights of the graph that it was given."""

    name: ClassVar[str] = "altering"
    higher_is_better: ClassVar[bool] = True

    def score(self, labelled: harness.LabelledGraph) -> float:
        adjacency = labelled.graph.adjacency
        adjacency.data = np.zeros(adjacency.nnz)
        return 0.0


@dataclass(frozen=True)
class Coverage(harness.Score):
    """Has the name of a column of the leaderboard."""

    name: ClassVar[str] = "coverage"
    higher_is_better: ClassVar[bool] = True

    def score(self, labelled: harness.LabelledGraph) -> float:
        return 1.0


@harness.hookimpl
def harness_scores() -> list[type[harness.Score]]:
    return [
        Nodes, Raising, Exiting, Sleeping, Textual, Infinite, Beyond, Undefined, Altering, Coverage,
    ]  # fmt: skip
