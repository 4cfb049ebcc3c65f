"""A proven upper bound for the programme, from any spins."""

from dataclasses import dataclass

import numpy as np

from harness import Floats
from harness_plugins.clusterers.sdp.programme import Programme, Tangent
from harness_plugins.clusterers.sdp.weights import dense


@dataclass(frozen=True, eq=False)
class Certificate:
    """An upper bound of the objective, and the direction (n,) in which it is loosest."""

    bound: float
    loosest: Floats


def certify(programme: Programme, spins: Floats) -> Certificate:
    """An upper bound of the programme's objective over all X ⪰ 0 with X_ii = 1, spins of any rank.

    For any y, ½⟨W − γ11ᵀ, X⟩ ≤ ½[Σ_i y_i + n·max(0, λ)], where λ is the largest eigenvalue of
    W − γ11ᵀ − Diag(y), on the vectors that sum to 0 where spins must balance. Spins (n, m) that
    are optimal give the y that makes it tight, the multipliers of their unit lengths. O(n³).
    """
    from scipy.linalg import eigh

    n = programme.nodes
    dual = Tangent(programme, spins, programme.field(spins)).dual
    slack = dense(programme.weights) - programme.gamma
    slack.flat[:: n + 1] -= dual
    if programme.balanced:
        slack -= slack.mean(axis=0)
        slack -= slack.mean(axis=1, keepdims=True)
    values, vectors = eigh(slack, subset_by_index=[n - 1, n - 1], check_finite=False)
    bound = float(dual.sum()) + n * max(0.0, float(values[0]))
    return Certificate(bound / 2, np.asarray(vectors[:, 0], dtype=np.float64))
