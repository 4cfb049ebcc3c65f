"""The SDP relaxation of community detection, solved over unit vectors ("spins").

Javanmard, Montanari and Ricci-Tersenghi, "Phase transitions in semidefinite relaxations",
PNAS 2016 (arXiv 1511.08769). With m(m+1)/2 > n + m the maxima over spins in m dimensions are, in
general, those of the convex programme over X_ij = σ_i·σ_j ⪰ 0, X_ii = 1. A certificate bounds the
distance to the optimum, and the search continues until it is within the tolerance.
"""

import math
from dataclasses import dataclass

import numpy as np

from harness import Floats, read_only
from harness_plugins.clusterers.sdp.ascent import ascend
from harness_plugins.clusterers.sdp.certificate import certify
from harness_plugins.clusterers.sdp.line import halves
from harness_plugins.clusterers.sdp.newton import polish
from harness_plugins.clusterers.sdp.programme import (
    NEARLY_BALANCED,
    Balance,
    Programme,
    programme_of,
)
from harness_plugins.clusterers.sdp.weights import (
    Weights,
    checked,
    magnitudes,
    mean_square_eigenvalue,
)
from harness_plugins.parameters import check_value

# Relative gap at which the first ascent ends.
FIRST_TOLERANCE = 1e-2
# Initial dimensions; optima have few, and dimensions are added at saddles only.
FIRST_RANK = 8
# Factor by which each further ascent is finer, and the finest tolerance.
FINER = 0.01
FINEST = 1e-13
# Relative gap beyond which spins lie at a saddle rather than near an optimum.
FAR = 0.05
# Distance by which spins are moved off a saddle, relative to their length.
KICK = 0.1
# The gradient's norm at a given gap, as a fraction of the gap; and most products per polish.
SLOPE_OF_GAP = 0.25
MOST_POLISHING = 600
# The smallest reference for relative gaps, as a fraction of the weights' sum.
SMALLEST_SCALE = 1e-9


@dataclass(frozen=True, eq=False)
class SpinSolution:
    """Unit vectors that solve the programme, with the accuracy of the solution.

    spins (n, m); objective ½ Σ_ij w_ij σ_i·σ_j, each edge once, less the penalty if there is one;
    bound: an upper bound for spins of any rank; gap, (bound − objective)/|objective|;
    imbalance ‖Σσ‖/n, 0 where balance is exact; iterations are products with the weights;
    converged: whether gap and, with exact balance, imbalance are within the tolerance.
    """

    spins: Floats
    objective: float
    bound: float
    gap: float
    imbalance: float
    iterations: int
    converged: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "spins", read_only(self.spins))


def solve_spins(
    weights: Weights,
    *,
    rank: int = 40,
    balance: Balance = "exact",
    gamma: float | None = None,
    tolerance: float = 1e-6,
    max_iterations: int = 5000,
    seed: int = 0,
) -> SpinSolution:
    """Unit spins, m = min(rank, n), that maximise ½ Σ_ij w_ij σ_i·σ_j, with a certificate.

    weights (n, n), n ≥ 2: dense or sparse, or minus an expectation of low rank
    (`DegreeCorrected`); symmetric, of any sign. balance: "exact" for Σσ = 0;
    "penalty" for −(γ/2)‖Σσ‖², γ by default the paper's, Σ_ij w_ij / n₊² with n₊ the nodes that
    have edges; "none". tolerance: of the certified relative gap, and of the imbalance. The same
    arguments give the same spins.

    Raises HarnessError if the weights are not square, finite and symmetric, or a parameter is
    out of range.
    """
    programme = programme_of(checked(weights), balance, gamma)
    check_search("solve_spins", rank, tolerance, max_iterations)
    generator = np.random.default_rng(seed)
    search = _Search(programme, generator, min(rank, programme.nodes), tolerance)
    finest = max(tolerance, FIRST_TOLERANCE)
    while search.products < max_iterations:
        search.ascend(finest, max_iterations)
        if search.is_done or search.products >= max_iterations:
            break
        if search.gap <= FAR:
            search.polish(max_iterations)
            if search.is_done:
                break
        finest = max(finest * FINER, FINEST)
        search.leave_saddle()
    return search.solution()


def check_search(owner: str, rank: int, tolerance: float, max_iterations: int) -> None:
    """Raise HarnessError, naming the owner, if a parameter of the search is out of bounds."""
    check_value(owner, "rank", rank, least=2)
    check_value(owner, "tolerance", tolerance, above=0)
    check_value(owner, "max_iterations", max_iterations, least=1)


class _Search:
    """The state of a search for spins."""

    def __init__(
        self, programme: Programme, generator: np.random.Generator, rank: int, tolerance: float
    ) -> None:
        self._programme = programme
        self._generator = generator
        self._tolerance = tolerance
        self._rank = rank
        rank = min(rank, FIRST_RANK)
        n = programme.nodes
        weights = programme.weights
        self._shift = math.sqrt(mean_square_eigenvalue(weights)) or 1.0
        self._smallest_scale = SMALLEST_SCALE * float(magnitudes(weights).sum()) / 2
        self.products = 0
        self._bound = math.inf
        if programme.balanced:
            self._spins = _balanced_start(programme, rank, generator)
        else:
            self._spins = programme.fit(generator.normal(size=(n, rank)), np.zeros(rank)).spins

    @property
    def is_done(self) -> bool:
        """Whether gap and imbalance are within the tolerance."""
        balanced = not self._programme.balanced or self._imbalance <= self._tolerance
        return abs(self.gap) <= self._tolerance and balanced

    def ascend(self, tolerance: float, most: int) -> None:
        """Ascend until the steps are short, and measure."""
        self._spins, used = ascend(
            self._programme, self._spins, self._shift, tolerance, most - self.products
        )
        self.products += used
        self._straighten()
        # Slightly below FAR, so that rounding does not decide.
        self._measure(0.9 * FAR)

    def polish(self, most: int) -> None:
        """Move to where the gradient vanishes, and measure."""
        target = SLOPE_OF_GAP * self._tolerance * self._scale
        self._spins, used = polish(
            self._programme, self._spins, target, min(MOST_POLISHING, most - self.products)
        )
        self.products += used
        self._measure()

    def leave_saddle(self) -> None:
        """Move where the certificate is loosest, into new dimensions if there are any."""
        n, used = self._spins.shape
        rank = min(2 * used, self._rank)
        self._spins = np.pad(self._spins, ((0, 0), (0, rank - used)))
        towards = self._generator.normal(size=rank)
        if rank > used:
            towards[:used] = 0
        towards /= float(np.linalg.norm(towards))
        kick = KICK * math.sqrt(n) * np.outer(self._loosest, towards)
        kicked = self._programme.fit(self._spins + kick, np.zeros(rank))
        if kicked.imbalance <= NEARLY_BALANCED:
            self._spins = kicked.spins

    def solution(self) -> SpinSolution:
        """The solution found."""
        if not self.is_done:
            self._measure()
        missing = self._rank - self._spins.shape[1]
        return SpinSolution(
            spins=np.pad(self._spins, ((0, 0), (0, missing))),
            objective=self._objective,
            bound=self._bound,
            gap=self.gap,
            imbalance=self._imbalance,
            iterations=self.products,
            converged=self.is_done,
        )

    def _straighten(self) -> None:
        """Project spins that nearly lie on a line onto it, if that is better."""
        straight = halves(self._spins) if self._programme.balanced else None
        if straight is not None:
            weights = self._programme.weights
            reached = float(np.vdot(self._spins, weights @ self._spins))
            if float(np.vdot(straight, weights @ straight)) >= reached:
                self._spins = straight

    def _measure(self, rough: float = 0.0) -> None:
        """Certify; a relative gap of `rough` suffices if the tolerance is not reached."""
        programme, spins = self._programme, self._spins
        total = spins.sum(axis=0)
        self._imbalance = float(np.linalg.norm(total)) / programme.nodes
        self._objective = 0.5 * float(np.vdot(spins, programme.weights @ spins))
        if not programme.balanced:
            self._objective -= 0.5 * programme.gamma * float(total @ total)
        self._scale = max(abs(self._objective), self._smallest_scale)
        enough = self._objective + self._tolerance * self._scale
        within = self._objective + rough * self._scale if rough else -math.inf
        bound, self._loosest = certify(programme, spins, enough, within)
        self._bound = min(self._bound, bound)
        self.gap = (self._bound - self._objective) / self._scale if self._scale else 0.0


def _balanced_start(programme: Programme, rank: int, generator: np.random.Generator) -> Floats:
    """Random balanced unit spins (n, rank), 2 ≤ rank ≤ n."""
    n = programme.nodes
    spins = generator.normal(size=(n, rank))
    if n % 2:
        first, second = np.linalg.qr(spins[-2:].T)[0].T
        spins[-3:] = np.outer([1, -0.5, -0.5], first) + np.outer([0, 1, -1], second * 0.75**0.5)
    paired = n - 3 * (n % 2)
    spins[1:paired:2] = -spins[0:paired:2]
    spins /= np.linalg.norm(spins, axis=1, keepdims=True)
    spins = generator.permutation(spins)
    # Opposite pairs, and a triangle if n is odd, balance but may be a saddle of the programme.
    noise = generator.normal(scale=0.5 / math.sqrt(rank), size=(n, rank))
    shaken = programme.fit(spins + noise, np.zeros(rank))
    return shaken.spins if shaken.imbalance <= NEARLY_BALANCED else spins
