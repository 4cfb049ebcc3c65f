"""my-method: a score."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class MyMethod(harness.Score):
    """The share of the patches that the largest clusters have.

    Parameters
    ----------
    largest
        How many clusters.
    """

    name: ClassVar[str] = "my-method"
    higher_is_better: ClassVar[bool] = False
    range: ClassVar[tuple[float, float]] = (0, 1)
    largest: int = 1

    def __post_init__(self) -> None:
        if self.largest < 1:
            raise harness.HarnessError(f"my-method: largest must be 1 or more, not {self.largest}")

    def score(self, labelled: harness.LabelledGraph) -> float:
        """The share, or NaN if there is no cluster of two patches."""
        sizes = sorted(map(len, labelled.clusters))
        return sum(sizes[-self.largest :]) / labelled.graph.n if sizes else np.nan


@harness.hookimpl
def harness_scores() -> list[type[harness.Score]]:
    """The score of this module."""
    return [MyMethod]
