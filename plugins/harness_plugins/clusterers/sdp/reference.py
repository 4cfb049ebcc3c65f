"""The SDP of community detection by a general solver: slow, exact, the spins' yardstick."""

import importlib
from typing import Any

import numpy as np

import harness
from harness import Floats
from harness_plugins.clusterers.sdp.weights import Weights, checked, dense

ACCURACY = 1e-7
MAX_ITERATIONS = 100_000


def solve_reference(weights: Weights) -> tuple[float, Floats]:
    """The greatest ½⟨W, X⟩ over X ⪰ 0 with X_ii = 1 and X·1 = 0, and the X (n, n) it has.

    weights (n, n) symmetric. Solved by SCS through cvxpy: seconds at 100 nodes, minutes at
    500. Raises HarnessError if the weights are not square, finite and symmetric, or SCS gives up.
    """
    # As Any: the package's annotations leave its functions out.
    cvxpy: Any = importlib.import_module("cvxpy")

    matrix = dense(checked(weights))
    gram = cvxpy.Variable(matrix.shape, PSD=True)
    # One equation a row: the equivalent single equation Σ_ij X_ij = 0 slows SCS a thousandfold.
    problem = cvxpy.Problem(
        cvxpy.Maximize(cvxpy.trace(matrix @ gram) / 2),
        [cvxpy.diag(gram) == 1, cvxpy.sum(gram, axis=1) == 0],
    )
    problem.solve(solver=cvxpy.SCS, eps_abs=ACCURACY, eps_rel=ACCURACY, max_iters=MAX_ITERATIONS)
    if problem.status != cvxpy.OPTIMAL:
        raise harness.HarnessError(
            f"SCS did not solve the programme of {len(matrix)} nodes: {problem.status}"
        )
    return float(problem.value), np.asarray(gram.value)
