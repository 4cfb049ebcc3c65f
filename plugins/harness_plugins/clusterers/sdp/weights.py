"""The weights of the programme: dense, sparse, or degree-corrected."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import harness
from harness import Floats

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, eq=False)
class DegreeCorrected:
    """Symmetric weights (n, n) minus their expectation by degrees: W − ½(abᵀ + baᵀ).

    observed: W as CSR; sent: a (n,); received: b (n,). Products need no array (n, n).
    """

    observed: "csr_array[Any, Any]"
    sent: Floats
    received: Floats

    @property
    def shape(self) -> tuple[int, int]:
        """(n, n)."""
        return len(self.sent), len(self.sent)

    def __matmul__(self, rows: Floats) -> Floats:
        expected = np.outer(self.sent, self.received @ rows)
        expected += np.outer(self.received, self.sent @ rows)
        return np.asarray(self.observed @ rows - expected / 2)

    def column(self, node: int) -> Floats:
        """The weights (n,) of one node."""
        column: Floats = self.sent * self.received[node]
        column += self.received * self.sent[node]
        column *= -0.5
        first, last = self.observed.indptr[node : node + 2]
        column[self.observed.indices[first:last]] += self.observed.data[first:last]
        return column

    def among(self, nodes: "NDArray[np.integer[Any]]") -> Floats:
        """The dense weights between some nodes, (k, k)."""
        expected = np.outer(self.sent[nodes], self.received[nodes])
        observed = np.asarray(self.observed[nodes][:, nodes].toarray(), dtype=np.float64)
        observed -= (expected + expected.T) / 2
        return observed


Weights: TypeAlias = "NDArray[Any] | csr_array[Any, Any] | DegreeCorrected"

# Dense products are faster below this number of nodes, and above this fraction of non-zero entries.
FEW_NODES = 512
DENSE_FRACTION = 0.2


def checked(weights: Weights) -> Weights:
    """The weights (n, n) in float64; sparse ones as CSR."""
    matrix: Any
    if isinstance(weights, DegreeCorrected):
        checked(weights.observed)
        if not (np.isfinite(weights.sent).all() and np.isfinite(weights.received).all()):
            raise harness.HarnessError("the SDP needs finite weights")
        return weights
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
    if isinstance(weights, DegreeCorrected):
        return weights.among(np.arange(weights.shape[0]))
    array = weights if isinstance(weights, np.ndarray) else weights.toarray()
    return np.asarray(array, dtype=np.float64)


def single(weights: Weights, factor: float) -> Weights:
    """The weights times a factor, in single precision."""
    if isinstance(weights, DegreeCorrected):
        return DegreeCorrected(
            (weights.observed * factor).astype(np.float32),
            (weights.sent * factor).astype(np.float32),
            weights.received.astype(np.float32),
        )
    return (weights * factor).astype(np.float32)


def fastest(weights: Weights) -> Weights:
    """The weights in the form that multiplies an array (n, m) faster."""
    if isinstance(weights, np.ndarray):
        return weights
    n = weights.shape[0]
    stored = weights.observed.nnz if isinstance(weights, DegreeCorrected) else weights.nnz
    return dense(weights) if n < FEW_NODES or stored > DENSE_FRACTION * n**2 else weights


def magnitudes(weights: Weights) -> Floats:
    """Σ_j |w_ij| of every node, (n,); an upper bound for degree-corrected weights."""
    if isinstance(weights, DegreeCorrected):
        sent, received = np.abs(weights.sent), np.abs(weights.received)
        expected: Floats = (sent * received.sum() + received * sent.sum()) / 2
        return magnitudes(weights.observed) + expected
    return np.asarray(abs(weights).sum(axis=1), dtype=np.float64)


def mean_square_eigenvalue(weights: Weights) -> float:
    """Σ_ij w_ij² / n."""
    if isinstance(weights, DegreeCorrected):
        a, b = weights.sent, weights.received
        observed = float((weights.observed.data**2).sum())
        mixed = float(a @ (weights.observed @ b))
        expected = (float(a @ a) * float(b @ b) + float(a @ b) ** 2) / 2
        return max(0.0, observed - 2 * mixed + expected) / len(a)
    return float((weights * weights).sum()) / int(weights.shape[0])


def total(weights: Weights) -> float:
    """Σ_ij w_ij."""
    if isinstance(weights, DegreeCorrected):
        return float(weights.observed.sum() - weights.sent.sum() * weights.received.sum())
    return float(weights.sum())
