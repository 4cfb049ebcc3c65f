"""A proven upper bound for the programme, from any spins."""

import numpy as np

from harness import Floats
from harness_plugins.clusterers.sdp.line import line_of
from harness_plugins.clusterers.sdp.programme import Programme, Tangent
from harness_plugins.clusterers.sdp.weights import dense

# Fractions of the allowed excess at which a bound is tried before the tightest is computed.
EXCESSES = (0.01, 0.9)
# Fraction of the squared lengths on a line beyond which the multiplier along it is free.
ON_A_LINE = 0.999
# Most eigenvalues in the search for a multiplier along a line.
MOST_TANGENTS = 12


def certify(
    programme: Programme, spins: Floats, enough: float, rough: float
) -> tuple[float, Floats]:
    """An upper bound of the programme's objective over all X ⪰ 0 with X_ii = 1, spins of any rank.

    Also returns the direction (n,) in which it is loosest, 0 if it is as tight as requested.

    For any y, ½⟨W − γ11ᵀ, X⟩ ≤ ½[Σ_i y_i + n·max(0, λ)], where λ is the largest eigenvalue of
    W − γ11ᵀ − Diag(y), on the vectors that sum to 0 if spins must balance. Optimal spins (n, m)
    give the y that makes it tight, the multipliers of their unit lengths. O(n³).

    If balanced spins lie nearly on a line, the multiplier of their balance along it is almost
    free, and the one that gives the tightest bound is searched for.

    A bound of `enough` or less may be looser than possible, as may one of `rough` or less if
    `enough` cannot be shown at once: a Cholesky factorisation shows that λ does not exceed a
    number, in a tenth of the time that computing λ takes.
    """
    n = programme.nodes
    dual = Tangent(programme, spins, programme.field(spins)).dual
    slack = dense(programme.weights) - programme.gamma
    slack.flat[:: n + 1] -= dual
    total = float(dual.sum())
    largest = (2 * enough - total) / n
    for value in (*(excess * largest for excess in EXCESSES), (2 * rough - total) / n):
        if value > 0 and _is_below(_centred(slack, programme), value):
            return (total + n * value) / 2, np.zeros(n)
    value, vector = _largest(_centred(slack, programme))
    if programme.balanced and value > largest:
        fraction, sides = line_of(spins)
        if fraction > ON_A_LINE:
            # The sides sum to 0, so Σ_i y_i does not change.
            value, vector = _least_along(
                slack, sides - sides.mean(), programme, value, vector, EXCESSES[-1] * largest
            )
    return (total + n * max(0.0, value)) / 2, vector


def _least_along(
    slack: Floats, sides: Floats, programme: Programme, value: float, vector: Floats, enough: float
) -> tuple[float, Floats]:
    """The minimum over t of the largest eigenvalue of slack + t·Diag(sides), and its eigenvector.

    The eigenvalue is convex in t, and the squares of its eigenvector give its slope. The next t
    is where the tangents on both sides of the minimum meet, or where one of them reaches 0. The
    search ends if the value is `enough` or less, or if the tangents show that no value is.
    """
    n = len(slack)
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
        moved = slack.copy()
        moved.flat[:: n + 1] += t * sides
        value, vector = _largest(_centred(moved, programme))
        if value < best[0]:
            best = value, vector
    return best


def _centred(slack: Floats, programme: Programme) -> Floats:
    """The slack, restricted to vectors that sum to 0 if spins must balance."""
    if not programme.balanced:
        return slack.copy()
    means = slack.mean(axis=0)
    return np.asarray(slack - (means - means.mean()) - means[:, None])


def _is_below(matrix: Floats, value: float) -> bool:
    """Whether all eigenvalues are below the value; the matrix is overwritten."""
    from scipy.linalg.lapack import dpotrf

    np.negative(matrix, out=matrix)
    matrix.flat[:: len(matrix) + 1] += value
    # The matrix is symmetric; its transpose has LAPACK's memory order.
    _, failed = dpotrf(matrix.T, clean=False, overwrite_a=True)
    return not failed


def _largest(matrix: Floats) -> tuple[float, Floats]:
    """The largest eigenvalue and its eigenvector (n,)."""
    from scipy.linalg import eigh

    last = len(matrix) - 1
    values, vectors = eigh(matrix, subset_by_index=[last, last], check_finite=False)
    return float(values[0]), np.asarray(vectors[:, 0], dtype=np.float64)
