"""What the weights of the programme may be, and their dense and sparse forms."""

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import harness
from harness import Floats

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Weights: TypeAlias = "NDArray[Any] | csr_array[Any, Any]"

# Share of entries that are not zero above which a dense product is the faster one.
DENSE_SHARE = 0.2


def checked(weights: Weights) -> Weights:
    """The weights (n, n) in float64; sparse ones as CSR.

    Raises HarnessError if they are not square, of at least 2 nodes, finite and symmetric.
    """
    matrix: Any
    if isinstance(weights, np.ndarray):
        matrix = weights.astype(np.float64, copy=False)
        entries = matrix
    else:
        from scipy.sparse import csr_array

        matrix = csr_array(weights, dtype=np.float64)
        entries = matrix.data
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or matrix.shape[0] < 2:
        raise harness.HarnessError(
            f"the SDP needs weights (n, n) of at least 2 nodes, not {matrix.shape}"
        )
    if not np.isfinite(entries).all():
        raise harness.HarnessError("the SDP needs finite weights")
    if (matrix != matrix.T).sum():
        raise harness.HarnessError("the SDP needs symmetric weights: w_ij = w_ji")
    return matrix


def dense(weights: Weights) -> Floats:
    """The weights as an array (n, n) of float64."""
    array = weights if isinstance(weights, np.ndarray) else weights.toarray()
    return np.asarray(array, dtype=np.float64)


def fastest(weights: Weights) -> Weights:
    """The weights in the form that multiplies an array (n, m) faster."""
    if isinstance(weights, np.ndarray) or weights.nnz <= DENSE_SHARE * weights.shape[0] ** 2:
        return weights
    return dense(weights)
