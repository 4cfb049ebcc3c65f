"""The search for the spins of one programme: where to start, when to end, how to leave a saddle."""

import math

import numpy as np

from harness import Floats
from harness_plugins.clusterers.sdp.batch import padded
from harness_plugins.clusterers.sdp.certificate import bound_of_halves, loosest, proves
from harness_plugins.clusterers.sdp.programme import Programme

# Initial dimensions; optima have few, and dimensions are added at saddles only.
FIRST_RANK = 8
# The gradient's norm at a given gap, as a fraction of the gap.
SLOPE_OF_GAP = 0.18
# The smallest slope of the first ascent, which is one of single precision.
FIRST_SLOPE = 1.8e-5
# Where no certificate is found the ascent goes on to a finer slope, and leaves a saddle after so
# many tries.
FINER = 0.25
TRIES = 3
# Fraction of the squared lengths along one line beyond which spins are tried on it.
ON_A_LINE = 0.999
# Distance by which spins are moved off a saddle, relative to their length.
KICK = 0.1
# Fraction of the tolerance that a factorisation is to prove, so that rounding does not decide.
PROVEN = 0.9


class Search:
    """The state of a search.

    spins (m, n), padded, feasible; push (m, n): where to move them before the next ascent, if that
    is feasible; products: with the weights, so far; tries: ascents that have ended so far.
    """

    def __init__(
        self, programme: Programme, rank: int, tolerance: float, max_iterations: int, seed: int
    ) -> None:
        self.programme = programme
        self.products = 0
        self.tries = 0
        self.imbalance = 0.0
        self.objective = 0.0
        self.bound = math.inf
        self._rank = min(rank, programme.nodes)
        self._tolerance = tolerance
        self._max_iterations = max_iterations
        self._generator = np.random.default_rng(seed)
        m = min(self._rank, FIRST_RANK)
        noise = self._generator.normal(scale=0.5 / math.sqrt(m), size=(m, programme.nodes))
        self.spins = self._padded(_balanced(programme.nodes, m, self._generator))
        # Opposite pairs, and a triangle if n is odd, balance but may be a saddle of the programme.
        self.push = self._padded(noise)

    @property
    def scale(self) -> float:
        """The number to which gaps are relative."""
        return max(abs(self.objective), self.programme.smallest_scale)

    @property
    def gap(self) -> float:
        """The relative gap that is proven."""
        return (self.bound - self.objective) / self.scale if self.scale else 0.0

    @property
    def is_done(self) -> bool:
        """Whether gap and imbalance are within the tolerance."""
        return abs(self.gap) <= self._tolerance and self._is_balanced

    @property
    def is_over(self) -> bool:
        """Whether the search has ended, with or without success."""
        return self.is_done or self.remaining <= 0

    @property
    def remaining(self) -> int:
        """The number of products that are left."""
        return self._max_iterations - self.products

    @property
    def is_first(self) -> bool:
        """Whether no ascent has ended."""
        return not self.tries

    @property
    def slope(self) -> float:
        """The gradient's norm, relative to the objective, at which the next ascent is to end."""
        rounds, tries = divmod(self.tries, TRIES)
        slope = SLOPE_OF_GAP * self._tolerance * FINER ** (rounds + tries)
        return max(slope, FIRST_SLOPE) if self.is_first else slope

    def judge(self, spins: Floats, objective: float, dual: Floats) -> None:
        """Take the spins (m, n) with which an ascent ended, and their multipliers y (n,).

        Certifies them, or prepares the next ascent.
        """
        programme, n = self.programme, self.programme.nodes
        self.spins, self.push = spins, np.zeros_like(spins)
        self.imbalance = float(np.linalg.norm(spins.sum(axis=1))) / n
        self.objective = objective
        self.tries += 1
        within = objective + PROVEN * self._tolerance * self.scale
        if self._is_balanced and proves(programme, dual[:n], within):
            self.bound = min(self.bound, within)
        elif not self._straighten() and (self.tries % TRIES == 0 or self.remaining <= 0):
            bound, direction = loosest(programme, dual[:n])
            self.bound = min(self.bound, bound)
            self._leave(direction)

    @property
    def _is_balanced(self) -> bool:
        return not self.programme.balanced or self.imbalance <= self._tolerance

    def _straighten(self) -> bool:
        """Put spins that nearly lie on a line onto it, if a certificate shows that it is optimal.

        On the line balance constraints depend on each other, and an ascent nears it slowly.
        """
        programme, n = self.programme, self.programme.nodes
        squares, axes = np.linalg.eigh(self.spins @ self.spins.T)
        sides = np.where(axes[:, -1] @ self.spins[:, :n] > 0, 1.0, -1.0)
        if not programme.balanced or squares[-1] <= ON_A_LINE * n or sides.sum():
            return False
        reached = float(sides @ programme.field(sides[:, None])[:, 0]) / 2
        scale = max(abs(reached), programme.smallest_scale)
        within = reached + PROVEN * self._tolerance * scale
        bound = min(self.bound, bound_of_halves(programme, sides, within))
        if bound > within:
            return False
        self.spins = np.zeros_like(self.spins)
        self.spins[0, :n] = sides
        self.objective, self.bound, self.imbalance = reached, bound, 0.0
        return True

    def _leave(self, direction: Floats) -> None:
        """Push the spins along the nodes' direction (n,), into new dimensions if there are any."""
        used, n = len(self.spins), self.programme.nodes
        rank = min(2 * used, self._rank)
        towards = self._generator.normal(size=rank)
        if rank > used:
            towards[:used] = 0
        towards /= float(np.linalg.norm(towards))
        self.spins = np.pad(self.spins, ((0, rank - used), (0, 0)))
        self.push = self._padded(KICK * math.sqrt(n) * np.outer(towards, direction))

    def _padded(self, spins: Floats) -> Floats:
        n = self.programme.nodes
        return np.pad(spins, ((0, 0), (0, padded(n) - n)))


def _balanced(nodes: int, rank: int, generator: np.random.Generator) -> Floats:
    """Random balanced unit spins (rank, nodes), 2 ≤ rank ≤ nodes."""
    spins = generator.normal(size=(nodes, rank))
    if nodes % 2:
        first, second = np.linalg.qr(spins[-2:].T)[0].T
        spins[-3:] = np.outer([1, -0.5, -0.5], first) + np.outer([0, 1, -1], second * 0.75**0.5)
    paired = nodes - 3 * (nodes % 2)
    spins[1:paired:2] = -spins[0:paired:2]
    spins /= np.linalg.norm(spins, axis=1, keepdims=True)
    return np.asarray(generator.permutation(spins).T)
