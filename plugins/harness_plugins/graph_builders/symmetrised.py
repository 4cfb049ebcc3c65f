"""Undirected graphs of directed maps, pruned by weight."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

import harness
from harness import Floats
from harness_plugins.graph_builders.pruning import FractionSweep

# The exponents α and β of the degree-discounted similarity, as the paper recommends.
DISCOUNT = 0.5


@dataclass(frozen=True)
class Symmetrised(FractionSweep):
    """Makes the map undirected, then drops the weakest pairs.

    Satuluri and Parthasarathy, EDBT 2011, on the weights A without self-loops, whose sums by row
    and by column are D_o and D_i. Both directions of a pair have the same weight and are kept or
    dropped together. A level is the fraction of all n(n − 1) pairs that is dropped, weakest first,
    rounded down; ties stay. A graph's threshold is the smallest weight in it. No self-loops.
    Modularity is that of these graphs, and controls are made undirected in the same way.

    Parameters
    ----------
    by
        the weights. sum: A + Aᵀ, how much two patches attend to each other; coupling: A Aᵀ + Aᵀ A,
        bibliographic coupling and co-citation: how far two patches attend to the same patches and
        are attended to by the same; degree-discounted: the same, discounted by what the patches
        send and receive, D_o^-½ A D_i^-½ Aᵀ D_o^-½ + D_i^-½ Aᵀ D_o^-½ A D_i^-½. For maps whose
        largest weight is beyond 2^±16, products are computed at a safe scale
        (`Graph.at_safe_scale`).
    stop
        the last level; at the default 0.9, on the last layer of DINOv2-small, coupling isolates one
        patch in five and the sum none; at 0.98, one in two and one in four.
    """

    name: ClassVar[str] = "symmetrised"
    by: Literal["sum", "coupling", "degree-discounted"] = "degree-discounted"
    stop: float = 0.9

    def build(self, attention: harness.AttentionMap, levels: Floats) -> Iterator[harness.Graph]:
        """One undirected graph per level; each is a subgraph of the one before."""
        directed = harness.Graph.from_weights(attention.weights).at_safe_scale()
        weights = SYMMETRISED[self.by](directed.adjacency.toarray())
        # Rounding may differ between the two directions of a product.
        symmetric = (weights + weights.T) / 2
        return super().build(harness.AttentionMap(symmetric, attention.image), levels)

    def _scores(self, unpruned: harness.Graph) -> Floats:
        """The logarithms of the weights, equal where they differ by rounding alone."""
        return harness.merge_ties(np.log(unpruned.adjacency.data))


def _sum(weights: Floats) -> Floats:
    return np.asarray(weights + weights.T)


def _coupling(weights: Floats) -> Floats:
    return np.asarray(weights @ weights.T + weights.T @ weights)


def _degree_discounted(weights: Floats) -> Floats:
    sent, received = (_discount(weights.sum(axis=axis)) for axis in (1, 0))
    by_target = sent[:, None] * weights * np.sqrt(received)
    by_source = received[:, None] * weights.T * np.sqrt(sent)
    return np.asarray(by_target @ by_target.T + by_source @ by_source.T)


def _discount(strengths: Floats) -> Floats:
    """Strengths to the power −½, 0 where there is none."""
    discounts = np.zeros_like(strengths)
    return np.power(strengths, -DISCOUNT, out=discounts, where=strengths > 0)


SYMMETRISED: Mapping[str, Callable[[Floats], Floats]] = {
    "sum": _sum,
    "coupling": _coupling,
    "degree-discounted": _degree_discounted,
}


@harness.hookimpl
def harness_graph_builders() -> list[type[harness.GraphBuilder]]:
    return [Symmetrised]
