"""What the last steps of an ascent tell of its curvature: the memory of L-BFGS."""

import numpy as np

from harness import Floats
from harness_plugins.clusterers.sdp.batch import Selected, dots

# Steps that are remembered.
STEPS = 5
# Smallest cosine of a step and its change of gradient.
SMALLEST_COSINE = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-5}


class Curvature:
    """Steps and changes of gradient of k programmes, for Newton-like directions without matrices.

    The compact form of Byrd, Nocedal and Schnabel (1994): with steps S and changes Y (steps, size),
    R_ij = s_i·y_j where i is not newer than j, and D the diagonal of R, the direction is
    H g + Sᵀ R⁻ᵀ (D α − Y H (g − Yᵀ α)) − H Yᵀ α, α = R⁻¹ S g, for a diagonal H. An empty place
    has steps and changes of 0 and 1 on R's diagonal.
    """

    def __init__(self, k: int, size: int, dtype: "np.dtype[np.floating]") -> None:
        self._steps = np.zeros((k, STEPS, size), dtype)
        self._changes = np.zeros((k, STEPS, size), dtype)
        self._inner = np.tile(np.eye(STEPS, dtype=dtype), (k, 1, 1))
        self._next = np.zeros(k, dtype=np.int64)

    @property
    def is_empty(self) -> Selected:
        """Which programmes have no steps."""
        return np.asarray(self._next == 0)

    def take(self, selected: Selected) -> None:
        """Keep some of the programmes."""
        self._steps, self._changes = self._steps[selected], self._changes[selected]
        self._inner, self._next = self._inner[selected], self._next[selected]

    def forget(self, selected: Selected) -> None:
        """Empty the memory of some programmes."""
        self._steps[selected] = 0
        self._changes[selected] = 0
        self._inner[selected] = np.eye(STEPS)
        self._next[selected] = 0

    def remember(self, selected: Selected, steps: Floats, changes: Floats) -> None:
        """Add a step and the fall of the gradient along it (k, m, n) for some programmes.

        A step along which the gradient does not fall is not added.
        """
        cosines = dots(steps, changes)
        lengths = np.sqrt(dots(steps, steps) * dots(changes, changes))
        selected = selected & (cosines > SMALLEST_COSINE[steps.dtype] * lengths)
        k = len(steps)
        where = np.flatnonzero(selected)
        place = self._next[where] % STEPS
        new_changes = changes.reshape(k, -1)
        self._steps[where, place] = steps.reshape(k, -1)[where]
        self._changes[where, place] = new_changes[where]
        column = (self._steps @ new_changes[:, :, None])[:, :, 0]
        self._inner[where, place] = 0
        self._inner[where, :, place] = column[where]
        # Places that are still empty keep 1 on the diagonal, and column is 0 there.
        self._next[where] += 1

    def direction(self, gradient: Floats, diagonal: Floats) -> Floats:
        """The ascent direction (k, m, n); the diagonal of H (k, n) need only be right in shape."""
        k, m, n = gradient.shape
        known = self._next > 0
        row = np.arange(k)
        last = (self._next - 1) % STEPS
        change = self._changes[row, last].reshape(k, m, n)
        curved = ((change * change).sum(axis=1) / diagonal).sum(axis=1)
        scale = np.where(known, self._inner[row, last, last] / np.where(known, curved, 1), 1)
        inverse = scale[:, None] / diagonal

        flat = gradient.reshape(k, m * n)
        weights = np.linalg.solve(self._inner, self._steps @ flat[:, :, None])
        reduced = flat - (weights.transpose(0, 2, 1) @ self._changes)[:, 0]
        by_node = reduced.reshape(k, m, n)
        by_node *= inverse[:, None]
        diagonals = np.einsum("kii->ki", self._inner)[:, :, None]
        rest = diagonals * weights - self._changes @ reduced[:, :, None]
        rest = np.linalg.solve(self._inner.transpose(0, 2, 1), rest)
        reduced += (rest.transpose(0, 2, 1) @ self._steps)[:, 0]
        return np.asarray(reduced.reshape(k, m, n))
