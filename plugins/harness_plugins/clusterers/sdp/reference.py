"""The SDP of community detection by a general solver: slow and exact, for reference."""

import importlib
from typing import Any

import numpy as np

import harness
from harness import Floats
from harness_plugins.clusterers.sdp.programme import Balance, programme_of
from harness_plugins.clusterers.sdp.weights import Weights, checked, dense

CVXPY = harness.Requirement("attention-harness[reference]", ("cvxpy",))
ACCURACY = 1e-7
MAX_ITERATIONS = 100_000


def solve_reference(
    weights: Weights,
    *,
    balance: Balance = "exact",
    gamma: float | None = None,
    accuracy: float = ACCURACY,
) -> tuple[float, Floats]:
    """The maximum of ½⟨W, X⟩ over X ⪰ 0 with X_ii = 1, and the X (n, n) that attains it.

    weights (n, n) symmetric; balance and gamma as for `solve_spins`: X·1 = 0, a penalty of
    (γ/2)⟨11ᵀ, X⟩, or neither. accuracy: SCS's, absolute and relative, of constraints and gap.
    Solved by SCS through cvxpy: seconds at 100 nodes, minutes at 500.

    Raises HarnessError if the weights are not square, finite and symmetric, if a parameter is out
    of range, if cvxpy is not installed, or if SCS fails.
    """
    CVXPY.check("solve_reference")
    # Any: the package does not annotate its functions.
    cvxpy: Any = importlib.import_module("cvxpy")

    programme = programme_of(checked(weights), balance, gamma)
    matrix = dense(programme.weights)
    gram = cvxpy.Variable(matrix.shape, PSD=True)
    constraints = [cvxpy.diag(gram) == 1]
    if programme.balanced:
        # One equation per row: the equivalent equation Σ_ij X_ij = 0 makes SCS a thousand times
        # slower.
        constraints.append(cvxpy.sum(gram, axis=1) == 0)
    else:
        matrix = matrix - programme.gamma
    problem = cvxpy.Problem(cvxpy.Maximize(cvxpy.trace(matrix @ gram) / 2), constraints)
    problem.solve(solver=cvxpy.SCS, eps_abs=accuracy, eps_rel=accuracy, max_iters=MAX_ITERATIONS)
    if problem.status != cvxpy.OPTIMAL:
        raise harness.HarnessError(
            f"SCS did not solve the programme of {len(matrix)} nodes: {problem.status}"
        )
    return float(problem.value), np.asarray(gram.value)
