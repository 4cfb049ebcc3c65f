"""How short a random walk can be described by its clusters."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

import harness
from harness import Floats

# As Infomap has it.
TELEPORTATION = 0.15
# The sum of the changes of the visit rates in one step, below which they are stationary. Each step
# multiplies it by 1 − TELEPORTATION, so that about 200 steps are enough.
STATIONARY = 1e-14
MOST_STEPS = 300


@dataclass(frozen=True)
class CodeLength(harness.Score):
    """The map equation: bits per step to describe a random walk by clusters.

    Rosvall and Bergstrom, PNAS 2008: L = q H(Q) + Σ pᵢ H(Pᵢ), a code for the steps between clusters
    and one for the steps in each, on the directed, weighted, pruned graph. The walk teleports with
    probability .15 to the source of a random edge; these steps are not described (Lambiotte and
    Rosvall 2012). This is the two-level code length of the package infomap with its defaults. An
    unassigned node is a cluster of its own. Undefined if the graph has no edge.
    """

    name: ClassVar[str] = "code-length"
    higher_is_better: ClassVar[bool] = False
    range: ClassVar[tuple[float, float]] = (0, np.inf)

    def score(self, labelled: harness.LabelledGraph) -> float:
        """The code length in bits a step."""
        graph, communities = labelled.graph, labelled.communities
        if not graph.edges:
            return np.nan
        flow = _flow(graph)
        visits = np.bincount(graph.adjacency.indices, flow, minlength=graph.n)
        sources, targets = communities[graph.rows], communities[graph.adjacency.indices]
        crossing = flow * (sources != targets)
        count = int(communities.max()) + 1
        left, entered = (np.bincount(end, crossing, count) for end in (sources, targets))
        within = np.bincount(communities, visits)
        between = _entropy(entered.sum()) - _entropy(entered)
        inside = _entropy(left + within) - _entropy(left) - _entropy(visits)
        # Rounding may leave less than nothing of a walk that goes nowhere.
        return max(between + inside, 0.0)


def _flow(graph: harness.Graph) -> Floats:
    """The share of the walk's steps that go along each edge, (edges,), without teleportation."""
    strengths = graph.out_strength
    choice = graph.adjacency.data / strengths[graph.rows]
    ends, teleports = strengths == 0, strengths / graph.total
    arriving = graph.adjacency.copy()
    arriving.data = choice
    arriving, rates = arriving.T, teleports
    for _ in range(MOST_STEPS):
        lost = TELEPORTATION + (1 - TELEPORTATION) * rates[ends].sum()
        new = lost * teleports + (1 - TELEPORTATION) * (arriving @ rates)
        new /= new.sum()
        change = np.abs(new - rates).sum()
        rates = new
        if change <= STATIONARY:
            break
    flow = choice * rates[graph.rows]
    return np.asarray(flow / flow.sum())


def _entropy(rates: ArrayLike) -> float:
    """Σ x log₂ x, 0 for x = 0."""
    positive = np.asarray(rates)[np.asarray(rates) > 0]
    return float(positive @ np.log2(positive))


@harness.hookimpl
def harness_scores() -> list[type[harness.Score]]:
    return [CodeLength]
