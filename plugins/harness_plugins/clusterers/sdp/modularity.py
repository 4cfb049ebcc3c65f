"""Directed, weighted modularity as the objective of the programme."""

import harness
from harness import Integers
from harness_plugins.clusterers.sdp.weights import DegreeCorrected, total


def modularity_weights(graph: harness.Graph, resolution: float, nodes: Integers) -> DegreeCorrected:
    """The symmetrised modularity matrix of a graph with edges, between some nodes (k, k).

    B = ½(Q + Qᵀ) with Q_ij = A_ij/m − γ k_i^out k_j^in / m², m = Σ A, over the whole graph (Leicht
    and Newman 2008). The sum of B_ij over all pairs of nodes that share a community is the
    partition's modularity, as it is with Q.
    """
    from scipy.sparse import csr_array

    flow = float(graph.adjacency.data.sum())
    # Divided before they are added and multiplied, as tiny weights would underflow.
    fractions = csr_array(graph.adjacency / flow)[nodes][:, nodes]
    return DegreeCorrected(
        csr_array((fractions + fractions.T) / 2),
        resolution * (graph.out_strength[nodes] / flow),
        graph.in_strength[nodes] / flow,
    )


def bound_of_partitions(relaxed: float, weights: DegreeCorrected) -> float:
    """An upper bound of Σ_ij B_ij Y_ij over all partitions of n nodes, given ⟨B, X⟩ ≤ relaxed.

    Y_ij is 1 if i and j share a community, else 0. For a partition in k communities
    X = (kY − J)/(k − 1), with J all ones, is positive semidefinite with X_ii = 1, so
    ⟨B, Y⟩ ≤ (1 − 1/k)·relaxed + ⟨B, J⟩/k. This is largest for k = n or for k = 1.
    """
    n, together = weights.shape[0], total(weights)
    return max(together, (1 - 1 / n) * relaxed + together / n)
