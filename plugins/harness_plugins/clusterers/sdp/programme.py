"""The programme that spins solve, and the geometry of its constraints.

For symmetric weights w: maximise ½ Σ_ij w_ij σ_i·σ_j − (γ/2)‖Σ_i σ_i‖² over unit vectors
σ_i ∈ R^m, with Σ_i σ_i = 0 if spins must balance. Penalty and balance are the two ways in which
Javanmard, Montanari and Ricci-Tersenghi (PNAS 2016, arXiv 1511.08769) exclude the partition into
one cluster; without either, the programme is a relaxation as for max-cut.
"""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

import harness
from harness import Floats
from harness_plugins.clusterers.sdp.weights import Weights, fastest, magnitudes, total
from harness_plugins.parameters import check_value

Balance: TypeAlias = Literal["exact", "penalty", "none"]

# Imbalance ‖Σσ‖/n at which a search for balance ends; below the second, when it stops falling.
BALANCED = 1e-13
NEARLY_BALANCED = 1e-9
BALANCING_STEPS = 50
# Longest Newton step, in lengths of Weiszfeld's step from the same point.
LONGEST_NEWTON_STEP = 1e4
# Keeps Newton's matrix regular if all rows lie on a line, as for two perfect blocks.
RIDGE = 1e-9
SHORTEST = np.finfo(np.float64).tiny ** 0.5


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

    def field(self, spins: Floats) -> Floats:
        """Σ_j w_ij σ_j − γ Σ_j σ_j of every node, (n, m)."""
        field: Floats = self.weights @ spins
        if self.gamma:
            field -= self.gamma * spins.sum(axis=0)
        return field

    def fit(self, field: Floats, centre: Floats, balanced: float = BALANCED) -> "Fit":
        """The feasible spins σ that maximise Σ_i σ_i·field_i.

        They are normalise(field_i − μ), where μ is the multiplier of the balance, or 0. The search
        for μ starts at `centre` and ends when ‖Σσ‖/n is at most `balanced`; it may fail.
        """
        if self.balanced:
            return _balanced_fit(field, centre, balanced)
        nowhere = np.zeros_like(centre)
        spins, lengths = _directions(field, nowhere)
        return Fit(spins, nowhere, lengths, 0.0)


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


@dataclass(frozen=True, eq=False)
class Fit:
    """Unit spins (n, m) that fit a field best, with the quantities of their computation.

    multiplier μ (m,) of the balance; pulls ‖field_i − μ‖ (n,); imbalance ‖Σσ‖/n, 0 if spins need
    not balance.
    """

    spins: Floats
    multiplier: Floats
    pulls: Floats
    imbalance: float


class Tangent:
    """The tangent space at feasible spins: directions that satisfy the constraints to first order.

    gradient (n, m): that of the objective in the tangent space; dual (n,): the multipliers y of
    the unit lengths, σ_i·(field_i − μ). At an optimum the gradient is 0, and Diag(y) − W + γ11ᵀ is
    positive semidefinite on the tangent space.
    """

    def __init__(self, programme: Programme, spins: Floats, field: Floats) -> None:
        self._spins = spins
        self._inverse: Floats | None = None
        if programme.balanced:
            n, rank = spins.shape
            # Singular along a line on which all spins lie.
            self._inverse = np.linalg.pinv(
                n * np.eye(rank) - spins.T @ spins, rcond=1e-12, hermitian=True
            )
        self.gradient, multiplier = self._project(field)
        self.dual: Floats = np.einsum("ij,ij->i", spins, field - multiplier)

    def project(self, directions: Floats) -> Floats:
        """The nearest directions (n, m) in the tangent space."""
        return self._project(directions)[0]

    def _project(self, directions: Floats) -> tuple[Floats, Floats]:
        spins = self._spins
        along = directions - spins * np.einsum("ij,ij->i", spins, directions)[:, None]
        if self._inverse is None:
            return along, np.zeros(spins.shape[1])
        multiplier: Floats = self._inverse @ along.sum(axis=0)
        along -= multiplier - spins * (spins @ multiplier)[:, None]
        return along, multiplier


def row_squares(rows: Floats) -> Floats:
    """The squared length of every row."""
    return np.asarray(np.einsum("ij,ij->i", rows, rows))


def _balanced_fit(field: Floats, centre: Floats, balanced: float) -> Fit:
    """`Programme.fit` with balance: μ minimises the sum of distances to the rows.

    This geometric median is found by Newton's method from `centre`; a step that overshoots is
    replaced by a step of Weiszfeld's method, which cannot. If the median is one of the rows, no
    unit spin of that row's node balances the others, and the search ends.
    """
    n, rank = field.shape
    ones = np.ones(n)
    spins, distances = _directions(field, centre)
    total = ones @ spins
    last, imbalance = np.inf, math.sqrt(float(total @ total)) / n
    for _ in range(BALANCING_STEPS):
        if imbalance <= balanced or last <= imbalance <= NEARLY_BALANCED:
            break
        last = imbalance
        curvatures = 1 / distances
        curvature = float(curvatures.sum())
        hessian = -(spins * curvatures[:, None]).T @ spins
        hessian.flat[:: rank + 1] += curvature * (1 + RIDGE)
        step = np.linalg.solve(hessian, total)
        longest = LONGEST_NEWTON_STEP * imbalance * n / curvature
        step *= min(1.0, longest / math.sqrt(float(step @ step)))
        moved, moved_distances = _directions(field, centre + step)
        if moved_distances.sum() > distances.sum() * (1 + 1e-14):
            step = total / curvature
            moved, moved_distances = _directions(field, centre + step)
            if _is_median(field, int(moved_distances.argmin())):
                break
        centre, spins, distances = centre + step, moved, moved_distances
        total = ones @ spins
        imbalance = math.sqrt(float(total @ total)) / n
    return Fit(spins, centre, distances, imbalance)


def _is_median(field: Floats, row: int) -> bool:
    """Whether this row minimises the sum of distances to the rows."""
    others, distances = _directions(field, field[row])
    alike = int((distances <= SHORTEST).sum())
    return float(np.linalg.norm(others.sum(axis=0))) <= alike


def _directions(field: Floats, centre: Floats) -> tuple[Floats, Floats]:
    """Unit vectors (n, m) from a point to the rows of the field, and the distances (n,)."""
    differences = field - centre
    distances = np.maximum(np.sqrt(row_squares(differences)), SHORTEST)
    differences /= distances[:, None]
    return differences, distances
