"""The SDP relaxation of community detection, solved over unit vectors ("spins").

Javanmard, Montanari and Ricci-Tersenghi, "Phase transitions in semidefinite relaxations",
PNAS 2016 (arXiv 1511.08769). For symmetric weights w the programme is

    maximise ½ Σ_ij w_ij σ_i·σ_j   over unit vectors σ_i ∈ R^m with Σ_i σ_i = 0.

With m(m+1)/2 > n + 1 its local maxima are, in general, those of the convex programme over
X_ij = σ_i·σ_j ⪰ 0, X_ii = 1, X·1 = 0. The paper softens the balance Σ_i σ_i = 0 to a penalty,
whose optimum differs; here it holds exactly.
"""

import math
from dataclasses import dataclass

import numpy as np

import harness
from harness import Floats, read_only
from harness_plugins.clusterers.sdp.weights import Weights, checked, fastest

# The relative gap to the optimum over the mean squared length of a step: 20 to 100 on block,
# geometric and scale-free graphs and on thresholded attention, more where optima are degenerate.
GAP_OF_STEP = 50.0
# Share of the surrogate's gain that a step must turn into objective.
SUFFICIENT_GAIN = 0.1
# Relative error of sums that is put down to rounding.
ROUNDING = 1e-12
# Imbalance ‖Σσ‖/n below which spins count as balanced.
BALANCED = 1e-6
BALANCING_STEPS = 50
# Longest Newton step, in lengths of Weiszfeld's step from the same place.
LONGEST_NEWTON_STEP = 1e4


@dataclass(frozen=True, eq=False)
class SpinSolution:
    """Unit vectors that solve the programme, and how well.

    spins (n, m); objective ½ Σ_ij w_ij σ_i·σ_j; imbalance ‖Σσ‖/n, 0 where the constraint holds;
    iterations are products with the weights; converged tells whether the accuracy asked for was
    reached.
    """

    spins: Floats
    objective: float
    imbalance: float
    iterations: int
    converged: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "spins", read_only(self.spins))


def solve_spins(
    weights: Weights,
    *,
    rank: int = 40,
    tolerance: float = 1e-6,
    max_iterations: int = 2000,
    seed: int = 0,
) -> SpinSolution:
    """Balanced unit spins, m = min(rank, n), of greatest ½ Σ_ij w_ij σ_i·σ_j.

    weights (n, n), n ≥ 2: dense or sparse, symmetric; negative ones are allowed. tolerance is
    the relative accuracy of the objective, estimated from the length of the steps; `certify`
    gives a proven bound. The same arguments give the same spins.

    Each iteration extrapolates the spins and replaces them by the balanced unit vectors that
    fit best the field W·σ + c·σ on them (minorise-maximise with Nesterov's momentum). Momentum
    starts afresh when it fails to help; where a step without it fails too, c is raised.

    Raises HarnessError if the weights are not square, finite and symmetric, or a parameter is
    out of range.
    """
    matrix = fastest(checked(weights))
    if rank < 2:
        raise harness.HarnessError(f"spins need a rank of at least 2, not {rank}")
    if not tolerance > 0:
        raise harness.HarnessError(f"the tolerance must be positive, not {tolerance}")
    if max_iterations < 1:
        raise harness.HarnessError(f"max_iterations must be at least 1, not {max_iterations}")
    n = matrix.shape[0]
    mean_weight = float(matrix.sum()) / n**2
    # The root mean square of the eigenvalues. Enough for all but the most uneven graphs.
    first_shift = math.sqrt(float((matrix * matrix).sum()) / n) or 1.0
    shift = first_shift

    def field_on(spins: Floats, total: Floats) -> Floats:
        # Taking the mean weight off changes nothing where the spins balance, and keeps what
        # imbalance is left by rounding from being rewarded.
        field: Floats = matrix @ spins - mean_weight * total
        return field

    spins = _balanced_start(n, min(rank, n), np.random.default_rng(seed))
    total = spins.sum(axis=0)
    field = field_on(spins, total)
    previous, previous_field = spins, field
    centre = np.zeros(spins.shape[1])
    momentum = 1.0
    iterations, converged = 0, False
    while iterations < max_iterations and not converged:
        iterations += 1
        next_momentum = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        reach = (momentum - 1) / next_momentum
        ahead = spins + reach * (spins - previous)
        ahead_field = field + reach * (field - previous_field) + shift * ahead
        following, multiplier, pulls = _balanced_fit(ahead_field, centre)
        following_total = following.sum(axis=0)
        following_field = field_on(following, following_total)

        # The Lagrangian, ½Σσ·field − μ·Σσ, rises even where balance is not exact.
        gain = 0.5 * float(np.vdot(following, following_field) - np.vdot(spins, field))
        gain -= float(multiplier @ (following_total - total))
        promised = 0.5 * float(pulls @ _row_squares(following - spins))
        if (
            not _is_balanced(following_total, n)
            or pulls.min() <= ROUNDING * shift
            or gain < SUFFICIENT_GAIN * promised - ROUNDING * float(pulls.sum())
        ):
            if reach > 0:
                momentum, previous, previous_field = 1.0, spins, field
            else:
                shift *= 1.5
            continue

        step = float(pulls @ _row_squares(following - ahead)) / float(pulls.sum())
        # A greater c shortens the steps at the same distance from the optimum.
        converged = GAP_OF_STEP * step * (shift / first_shift) ** 2 <= tolerance
        previous, previous_field = spins, field
        spins, field, total = following, following_field, following_total
        centre, momentum = multiplier, next_momentum

    return SpinSolution(
        spins=spins,
        objective=0.5 * float(np.vdot(spins, matrix @ spins)),
        imbalance=float(np.linalg.norm(total)) / n,
        iterations=iterations,
        converged=converged,
    )


def _row_squares(rows: Floats) -> Floats:
    """The squared length of every row."""
    squares: Floats = np.einsum("ij,ij->i", rows, rows)
    return squares


def _balanced_start(n: int, rank: int, generator: np.random.Generator) -> Floats:
    """Random balanced unit spins (n, rank), 2 ≤ rank ≤ n."""
    spins = generator.normal(size=(n, rank))
    if n % 2:
        first, second = np.linalg.qr(spins[-2:].T)[0].T
        spins[-3:] = np.outer([1, -0.5, -0.5], first) + np.outer([0, 1, -1], second * 0.75**0.5)
    paired = n - 3 * (n % 2)
    spins[1:paired:2] = -spins[0:paired:2]
    spins /= np.linalg.norm(spins, axis=1, keepdims=True)
    spins = generator.permutation(spins)
    # Opposite pairs, with a triangle where n is odd, balance but may be a saddle of the programme.
    noise = generator.normal(scale=0.5 / math.sqrt(rank), size=(n, rank))
    shaken, _, _ = _balanced_fit(spins + noise, np.zeros(rank))
    return shaken if _is_balanced(shaken.sum(axis=0), n) else spins


def _is_balanced(total: Floats, n: int) -> bool:
    return float(np.linalg.norm(total)) <= BALANCED * n


def _balanced_fit(field: Floats, centre: Floats) -> tuple[Floats, Floats, Floats]:
    """The balanced unit vectors σ of greatest Σ_i σ_i·field_i.

    They are normalise(field_i − μ), where the multiplier μ of the balance is the point of
    smallest summed distance to the rows of the field: their geometric median. It is found by
    Newton's method from `centre`; where that overshoots, one step of Weiszfeld's method, which
    cannot, stands in for it. Returns spins (n, m), μ (m,) and the distances (n,).
    """
    n, rank = field.shape
    spins, distances = _directions(field, centre)
    for _ in range(BALANCING_STEPS):
        total = spins.sum(axis=0)
        if _is_balanced(total, n):
            break
        curvatures = 1 / distances
        curvature = float(curvatures.sum())
        hessian = -(spins * curvatures[:, None]).T @ spins
        # The ridge keeps it regular where all rows lie on a line, as for two perfect blocks.
        hessian.flat[:: rank + 1] += curvature * (1 + 1e-9)
        step = np.linalg.solve(hessian, total)
        longest = LONGEST_NEWTON_STEP * float(np.linalg.norm(total)) / curvature
        step *= min(1.0, longest / float(np.linalg.norm(step)))
        moved, moved_distances = _directions(field, centre + step)
        if moved_distances.sum() > distances.sum() * (1 + 1e-14):
            step = total / curvature
            moved, moved_distances = _directions(field, centre + step)
        centre, spins, distances = centre + step, moved, moved_distances
    return spins, centre, distances


def _directions(field: Floats, centre: Floats) -> tuple[Floats, Floats]:
    """Unit vectors (n, m) from a point to the rows of the field, and the distances (n,)."""
    differences = field - centre
    distances = np.maximum(np.sqrt(_row_squares(differences)), np.finfo(np.float64).tiny ** 0.5)
    return differences / distances[:, None], distances
