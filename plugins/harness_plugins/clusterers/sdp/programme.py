"""The programme that spins solve.

For symmetric weights w: maximise ½ Σ_ij w_ij σ_i·σ_j − (γ/2)‖Σ_i σ_i‖² over unit vectors
σ_i ∈ R^m, with Σ_i σ_i = 0 if spins must balance. Penalty and balance are the two ways in which
Javanmard, Montanari and Ricci-Tersenghi (PNAS 2016, arXiv 1511.08769) exclude the partition into
one cluster; without either, the programme is a relaxation as for max-cut.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias, get_args

import harness
from harness import Floats
from harness_plugins.clusterers.sdp.weights import (
    Weights,
    fastest,
    magnitudes,
    mean_square_eigenvalue,
    total,
)
from harness_plugins.parameters import check_value

Balance: TypeAlias = Literal["exact", "penalty", "none"]

# The smallest reference for relative gaps, as a fraction of the weights' sum.
SMALLEST_SCALE = 1e-9


@dataclass(frozen=True, eq=False)
class Programme:
    """Weights (n, n), γ, and whether Σσ = 0 is a constraint.

    With the constraint, γ does not change the objective; setting γ to the mean weight keeps the
    imbalance due to rounding from being rewarded.
    """

    weights: Weights
    gamma: float
    balanced: bool

    @property
    def nodes(self) -> int:
        """The number of spins, n."""
        return int(self.weights.shape[0])

    @cached_property
    def spread(self) -> float:
        """The root mean square of the eigenvalues of W − γ11ᵀ, or 1 if all are 0."""
        n, gamma = self.nodes, self.gamma
        squares = mean_square_eigenvalue(self.weights)
        squares -= 2 * gamma * total(self.weights) / n - gamma**2 * n
        return math.sqrt(max(0.0, squares)) or 1.0

    @cached_property
    def smallest_scale(self) -> float:
        """The smallest number to which a gap is relative."""
        return SMALLEST_SCALE * float(magnitudes(self.weights).sum()) / 2

    def field(self, spins: Floats) -> Floats:
        """Σ_j w_ij σ_j − γ Σ_j σ_j of every node, (n, m), for spins (n, m)."""
        field: Floats = self.weights @ spins
        if self.gamma:
            field -= self.gamma * spins.sum(axis=0)
        return field


def check_balance(balance: Balance, gamma: float | None) -> None:
    """Raise HarnessError if balance is not one of the three, or γ does not apply to it."""
    if balance not in get_args(Balance):
        known = ", ".join(get_args(Balance))
        raise harness.HarnessError(f"sdp: balance must be one of {known}, not {balance!r}")
    if gamma is not None and balance != "penalty":
        raise harness.HarnessError(f"sdp: gamma applies to balance=penalty, not to {balance}")
    if gamma is not None:
        check_value("sdp", "gamma", gamma, least=0)


def programme_of(weights: Weights, balance: Balance, gamma: float | None) -> Programme:
    """The programme of checked weights; a γ of None is the paper's Σ_ij w_ij / n₊²."""
    check_balance(balance, gamma)
    if balance == "penalty" and gamma is None:
        linked = int((magnitudes(weights) > 0).sum())
        gamma = total(weights) / linked**2 if linked else 0.0
    if balance == "exact":
        gamma = total(weights) / weights.shape[0] ** 2
    return Programme(fastest(weights), gamma or 0.0, balance == "exact")
