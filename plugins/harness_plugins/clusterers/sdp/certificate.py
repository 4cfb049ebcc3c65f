"""A proven upper bound for the SDP of community detection, from any spins."""

import numpy as np

from harness import Floats
from harness_plugins.clusterers.sdp.weights import Weights, checked, dense


def certify(weights: Weights, spins: Floats) -> float:
    """An upper bound of ½⟨W, X⟩ over all X ⪰ 0 with X_ii = 1 and X·1 = 0.

    weights (n, n) symmetric; spins (n, m). For any y, ½⟨W, X⟩ ≤ ½[Σ_i y_i + n·max(0, λ)], where
    λ is the largest eigenvalue of W − Diag(y) on the vectors that sum to 0. Spins that are
    optimal give the y that makes it tight: σ_i·(Σ_j w_ij σ_j − μ), μ the multiplier of the
    balance, here the least squares solution of Σ_j w_ij σ_j − μ ∥ σ_i. Takes O(n³).
    """
    matrix = dense(checked(weights))
    field = matrix @ spins
    n, rank = spins.shape
    across = field - spins * np.einsum("ij,ij->i", spins, field)[:, None]
    multiplier = np.linalg.lstsq(
        n * np.eye(rank) - spins.T @ spins, across.sum(axis=0), rcond=1e-10
    )[0]
    dual: Floats = np.einsum("ij,ij->i", spins, field - multiplier)
    slack = matrix - np.diag(dual)
    slack = slack - slack.mean(axis=0)
    slack -= slack.mean(axis=1, keepdims=True)
    largest = float(np.linalg.eigvalsh(slack)[-1])
    bound: float = dual.sum() + n * max(0.0, largest)
    return bound / 2
