"""How many clusters are one region of the image."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness
from harness import Integers


@dataclass(frozen=True)
class Contiguity(harness.Score):
    """The fraction of clusters that are one connected region of patches.

    Patches are connected if they have an edge in common (4 neighbours). Only clusters of at least
    two patches count; undefined without such clusters, or without a grid. Attention to neighbours
    alone makes clusters contiguous: compare with the control.
    """

    name: ClassVar[str] = "contiguity"
    higher_is_better: ClassVar[bool] = True
    range: ClassVar[tuple[float, float]] = (0, 1)

    def score(self, labelled: harness.LabelledGraph) -> float:
        """The share, 0 … 1."""
        grid = labelled.attention.grid
        if grid is None or not labelled.clusters:
            return np.nan
        regions = _regions(labelled.communities.reshape(grid))
        whole = [len(np.unique(regions[nodes])) == 1 for nodes in labelled.clusters]
        return float(np.mean(whole))


def _regions(communities: Integers) -> Integers:
    """The region of each patch (n,): the patches that neighbours of its cluster connect to it."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    patches = np.arange(communities.size).reshape(communities.shape)
    pairs = []
    for first, second in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        same = communities[first] == communities[second]
        pairs.append((patches[first][same], patches[second][same]))
    ends = tuple(np.concatenate(each) for each in zip(*pairs, strict=True))
    size = (communities.size, communities.size)
    linked = coo_array((np.ones(len(ends[0])), ends), shape=size)
    return np.asarray(connected_components(linked, directed=False)[1])


@harness.hookimpl
def harness_scores() -> list[type[harness.Score]]:
    return [Contiguity]
