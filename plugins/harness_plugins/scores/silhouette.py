"""How alike the rows of a cluster are."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class Silhouette(harness.Score):
    """How much closer rows of the map are to their own cluster than to the nearest one.

    The mean over patches of (b − a) / max(a, b) (Rousseeuw 1987), where a is the mean Euclidean
    distance of a patch's row of the unpruned map to the other rows of its cluster, and b that to
    the rows of the nearest other cluster; 0 for a patch that is a cluster of its own, such as an
    unassigned patch. Undefined if there is one cluster, or no cluster of two patches.
    """

    name: ClassVar[str] = "silhouette"
    higher_is_better: ClassVar[bool] = True
    range: ClassVar[tuple[float, float]] = (-1, 1)

    def score(self, labelled: harness.LabelledGraph) -> float:
        """The mean silhouette, −1 … 1."""
        from sklearn.metrics import silhouette_score

        communities, rows = labelled.communities, labelled.attention.weights
        if not 1 <= communities.max() < len(communities) - 1:
            return np.nan
        # Squares of tiny or huge weights would leave the range of numbers.
        scaled = np.asarray(rows, dtype=np.float64) / (rows.max() or 1)
        return float(silhouette_score(scaled, communities))


@harness.hookimpl
def harness_scores() -> list[type[harness.Score]]:
    return [Silhouette]
