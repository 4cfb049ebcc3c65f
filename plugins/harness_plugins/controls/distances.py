"""Classes of pairs of patches at equal distance on a grid."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def distance_classes(rows: int, columns: int) -> NDArray[Any]:
    """The ranks of the distances between all patches of a grid, (n, n), 0 on the diagonal."""
    row, column = np.arange(rows)[:, None], np.arange(columns)
    _, ranks = np.unique(row**2 + column**2, return_inverse=True)
    # Small integer types are sorted many times faster.
    small = ranks.reshape(rows, columns).astype(np.min_scalar_type(int(ranks.max())))
    row, column = np.divmod(np.arange(rows * columns), columns)
    return np.asarray(small[np.abs(row[:, None] - row), np.abs(column[:, None] - column)])
