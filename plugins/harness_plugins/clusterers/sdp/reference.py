"""The SDP of community detection by a general solver: slow, exact, the spins' yardstick."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import harness
from harness.values import Floats

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def solve_reference(
    weights: "NDArray[np.floating[Any]] | csr_array[Any, Any]", *, accuracy: float = 1e-7
) -> tuple[float, Floats]:
    """The greatest ½⟨W, X⟩ over X ⪰ 0 with X_ii = 1 and X·1 = 0, and the X (n, n) it has.

    weights (n, n) symmetric. Solved by SCS through cvxpy to a relative `accuracy`: seconds at
    100 nodes, minutes at 500. Raises HarnessError where SCS gives up.
    """
    import cvxpy
    from scipy.sparse import issparse

    matrix = weights.toarray() if issparse(weights) else np.asarray(weights, dtype=np.float64)
    gram = cvxpy.Variable(matrix.shape, PSD=True)
    # One equation a row: the equivalent single equation Σ_ij X_ij = 0 slows SCS a thousandfold.
    problem = cvxpy.Problem(
        cvxpy.Maximize(cvxpy.trace(matrix @ gram) / 2),
        [cvxpy.diag(gram) == 1, cvxpy.sum(gram, axis=1) == 0],
    )
    problem.solve(solver=cvxpy.SCS, eps_abs=accuracy, eps_rel=accuracy, max_iters=100_000)
    if problem.status != cvxpy.OPTIMAL:
        raise harness.HarnessError(
            f"SCS did not solve the programme of {len(matrix)} nodes: {problem.status}"
        )
    return float(problem.value), np.asarray(gram.value)
