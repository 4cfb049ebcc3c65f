"""Cosines of the angles between vectors."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import harness


def cosines(rows: NDArray[np.floating[Any]]) -> harness.Floats:
    """The cosine (n, n) of the angle between any two rows; 0 if one of them is zero."""
    units = unit_rows(rows)
    return np.asarray(units @ units.T)


def unit_rows(rows: NDArray[np.floating[Any]]) -> harness.Floats:
    """Rows of length 1; rows of zeros stay."""
    wide = rows.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    return np.asarray(np.divide(wide, lengths, out=np.zeros_like(wide), where=lengths > 0))
