"""Spins on a line, or nearly: a partition in two halves.

There the balance constraints depend on each other, and the general methods converge slowly or not
at all.
"""

import numpy as np

from harness import Floats

# Fraction of the squared lengths along one line above which spins nearly lie on it.
NEARLY_ON_A_LINE = 0.95


def line_of(spins: Floats) -> tuple[float, Floats]:
    """The fraction of the spins (n, m) along one line, 1/m … 1, and their positions on it (n,)."""
    squares, axes = np.linalg.eigh(spins.T @ spins)
    return float(squares[-1]) / len(spins), spins @ axes[:, -1]


def halves(spins: Floats) -> Floats | None:
    """Spins on the line on which these (n, m) nearly lie, half on either side; None if not."""
    fraction, positions = line_of(spins)
    signs = np.where(positions > 0, 1.0, -1.0)
    if fraction <= NEARLY_ON_A_LINE or signs.sum():
        return None
    straight = np.zeros_like(spins)
    straight[:, 0] = signs
    return straight
