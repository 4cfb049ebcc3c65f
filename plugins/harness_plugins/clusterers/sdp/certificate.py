"""A proven upper bound for the programme, from any spins."""

import numpy as np

from harness import Floats
from harness_plugins.clusterers.sdp.programme import Programme
from harness_plugins.clusterers.sdp.weights import dense

# Most eigenvalues in the search for a multiplier along a line.
MOST_TANGENTS = 12


def proves(programme: Programme, dual: Floats, bound: float) -> bool:
    """Whether the objective is at most a bound over all X ⪰ 0 with X_ii = 1, spins of any rank.

    For any y (n,), ½⟨W − γ11ᵀ, X⟩ ≤ ½[Σ_i y_i + n·max(0, λ)], where λ is the largest eigenvalue of
    W − γ11ᵀ − Diag(y), on the vectors that sum to 0 if spins must balance. Optimal spins give the
    y that makes it tight, the multipliers of their unit lengths. A Cholesky factorisation shows
    that λ does not exceed a number, in a tenth of the time that computing λ takes.
    """
    from scipy.linalg.lapack import dpotrf

    n = programme.nodes
    largest = (2 * bound - float(dual.sum())) / n
    if largest <= 0:
        return False
    matrix = _slack(programme, dual)
    np.negative(matrix, out=matrix)
    matrix.flat[:: n + 1] += largest
    # The matrix is symmetric; its transpose has LAPACK's memory order.
    _, failed = dpotrf(matrix.T, clean=False, overwrite_a=True)
    return not failed


def loosest(programme: Programme, dual: Floats) -> tuple[float, Floats]:
    """The upper bound that y (n,) gives, and the direction (n,) in which it is loosest. O(n³)."""
    value, vector = _largest(_slack(programme, dual))
    return _bound(programme, dual, value), vector


def bound_of_halves(programme: Programme, sides: Floats, enough: float) -> float:
    """The upper bound for balanced spins on a line, at their sides (n,) of ±1.

    There the multiplier t of the balance along the line is free, and y_i may be y_i − t·side_i: the
    t of the tightest bound is searched for. The largest eigenvalue is convex in t, and the squares
    of its eigenvector give its slope. The next t is where the tangents on both sides of the minimum
    meet, or where one of them reaches 0. The search ends if the bound is `enough` or less, or if
    the tangents show that no bound is.
    """
    n = programme.nodes
    dual = sides * programme.field(sides[:, None])[:, 0]
    # The sides sum to 0, so Σ_i y_i does not change.
    largest = (2 * enough - float(dual.sum())) / n
    below: tuple[float, float, float] | None = None
    above: tuple[float, float, float] | None = None
    t, best = 0.0, np.inf
    for _ in range(MOST_TANGENTS):
        value, vector = _largest(_slack(programme, dual - t * sides))
        best = min(best, value)
        slope = float(sides @ vector**2)
        if value <= max(0.0, largest) or not slope:
            break
        if slope < 0:
            below = t, value, slope
        else:
            above = t, value, slope
        if below and above:
            t = (above[1] - above[2] * above[0] - below[1] + below[2] * below[0]) / (
                below[2] - above[2]
            )
            if not below[0] < t < above[0] or below[1] + below[2] * (t - below[0]) > largest:
                break
        else:
            t -= value / slope
    return _bound(programme, dual, best)


def _bound(programme: Programme, dual: Floats, largest: float) -> float:
    return (float(dual.sum()) + programme.nodes * max(0.0, largest)) / 2


def _slack(programme: Programme, dual: Floats) -> Floats:
    """W − γ11ᵀ − Diag(y), restricted to vectors that sum to 0 if spins must balance."""
    n = programme.nodes
    slack = dense(programme.weights) - programme.gamma
    slack.flat[:: n + 1] -= dual
    if programme.balanced:
        means = slack.mean(axis=0)
        slack -= means - means.mean()
        slack -= means[:, None]
    return slack


def _largest(matrix: Floats) -> tuple[float, Floats]:
    """The largest eigenvalue and its eigenvector (n,)."""
    from scipy.linalg import eigh

    last = len(matrix) - 1
    values, vectors = eigh(matrix, subset_by_index=[last, last], check_finite=False)
    return float(values[0]), np.asarray(vectors[:, 0], dtype=np.float64)
