"""Label propagation along directed, weighted edges, by networkx."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

import harness
from harness import Integers


@dataclass(frozen=True)
class LabelPropagation(harness.Clusterer):
    """Label propagation: each node takes the label to which most of its attention goes (networkx).

    Raghavan, Albert and Kumara, Physical Review E 2007: asynchronous, by the weights of outgoing
    edges, in random order until no label changes. It optimises no objective: partitions differ by
    seed, and on graphs without clear clusters all nodes end up in one. Isolated nodes are
    singletons. Convergence is not proven for directed graphs: run it where it can be killed, as
    the harness does.
    """

    name: ClassVar[str] = "label-propagation"
    requires: ClassVar[harness.Requirement] = harness.NETWORKX

    def cluster(self, graph: harness.Graph, *, seed: int) -> Integers:
        """Labels (n,), every node assigned."""
        # scikit-network 0.33.5 is faster, but uses the weights of the wrong edges (vote.pyx).
        from networkx.algorithms.community import asyn_lpa_communities

        communities = asyn_lpa_communities(graph.to_networkx(), weight="weight", seed=seed)
        labels = np.empty(graph.n, dtype=np.int64)
        for label, members in enumerate(communities):
            labels[list(members)] = label
        return labels


@harness.hookimpl
def harness_clusterers() -> list[type[harness.Clusterer]]:
    return [LabelPropagation]
