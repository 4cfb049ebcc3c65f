"""A proven upper bound for the programme, from any spins."""

import numpy as np

from harness import Floats
from harness_plugins.clusterers.sdp.programme import Programme
from harness_plugins.clusterers.sdp.weights import dense

# Fraction of the squared lengths on a line beyond which the multiplier along it is free.
ON_A_LINE = 0.999
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


def loosest(
    programme: Programme, dual: Floats, spins: Floats, enough: float
) -> tuple[float, Floats]:
    """The upper bound that y gives, and the direction (n,) in which it is loosest.

    O(n³). If balanced spins (n, m) lie nearly on a line, the multiplier of their balance along it
    is almost free, and one is searched for that gives a bound of `enough` or less.
    """
    n = programme.nodes
    total = float(dual.sum())
    value, vector = _largest(_slack(programme, dual))
    largest = (2 * enough - total) / n
    if programme.balanced and value > largest:
        squares, axes = np.linalg.eigh(spins.T @ spins)
        if squares[-1] > ON_A_LINE * n:
            sides = spins @ axes[:, -1]
            # The sides sum to 0, so Σ_i y_i does not change.
            value, vector = _least_along(
                programme, dual, sides - sides.mean(), value, vector, largest
            )
    return (total + n * max(0.0, value)) / 2, vector


def _least_along(
    programme: Programme,
    dual: Floats,
    sides: Floats,
    value: float,
    vector: Floats,
    enough: float,
) -> tuple[float, Floats]:
    """The minimum over t of the largest eigenvalue of slack + t·Diag(sides), and its eigenvector.

    The eigenvalue is convex in t, and the squares of its eigenvector give its slope. The next t
    is where the tangents on both sides of the minimum meet, or where one of them reaches 0. The
    search ends if the value is `enough` or less, or if the tangents show that no value is.
    """
    best = value, vector
    below: tuple[float, float, float] | None = None
    above: tuple[float, float, float] | None = None
    t = 0.0
    for _ in range(MOST_TANGENTS):
        slope = float(sides @ vector**2)
        if value <= max(0.0, enough) or not slope:
            break
        if slope < 0:
            below = t, value, slope
        else:
            above = t, value, slope
        if below and above:
            t = (above[1] - above[2] * above[0] - below[1] + below[2] * below[0]) / (
                below[2] - above[2]
            )
            if not below[0] < t < above[0] or below[1] + below[2] * (t - below[0]) > enough:
                break
        else:
            t -= value / slope
        value, vector = _largest(_slack(programme, dual - t * sides))
        if value < best[0]:
            best = value, vector
    return best


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
