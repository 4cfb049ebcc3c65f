"""How much of the weight at clusters leaves them."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness


@dataclass(frozen=True)
class Conductance(harness.Score):
    """The fraction of the weight at the nodes of a cluster that leaves it, as a mean over clusters.

    φ(C) = w(C, V∖C) / min(w(C, V), w(V∖C, V)) (Kannan, Vempala and Vetta 2004), where w sums the
    weights of A + Aᵀ on the pruned graph, so that an edge counts alike in both directions: 0 if no
    edge leaves C, 1 if none is inside. The mean is over clusters of at least two nodes for which C
    and V∖C both have edges; undefined without such clusters.
    """

    name: ClassVar[str] = "conductance"
    higher_is_better: ClassVar[bool] = False
    range: ClassVar[tuple[float, float]] = (0, 1)

    def score(self, labelled: harness.LabelledGraph) -> float:
        """The mean conductance, 0 … 1."""
        graph, communities = labelled.graph, labelled.communities
        ends = communities[graph.rows], communities[graph.adjacency.indices]
        crossing = graph.adjacency.data * (ends[0] != ends[1])
        count = int(communities.max()) + 1
        leaving = np.add(*(np.bincount(end, crossing, count) for end in ends))
        volumes = np.bincount(communities, graph.out_strength + graph.in_strength)
        found = []
        for cluster in {int(communities[nodes[0]]) for nodes in labelled.clusters}:
            # Not the difference to the sum, whose rounding would look like weight.
            smaller = min(volumes[cluster], np.delete(volumes, cluster).sum())
            if smaller > 0:
                found.append(leaving[cluster] / smaller)
        return float(np.mean(found)) if found else np.nan


@harness.hookimpl
def harness_scores() -> list[type[harness.Score]]:
    return [Conductance]
