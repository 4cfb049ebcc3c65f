"""Spins on a line, or nearly: a partition in two halves.

There the constraints that make spins balance depend on each other, and what works elsewhere
converges slowly or not at all.
"""

import numpy as np

from harness import Floats

# Share of the spins' squared lengths that lies along one line, above which they nearly lie on it.
NEARLY_ON_A_LINE = 0.95


def line_of(spins: Floats) -> tuple[float, Floats]:
    """How much of the spins (n, m) lies along one line, 1/m … 1, and where on it each is (n,)."""
    squares, axes = np.linalg.eigh(spins.T @ spins)
    return float(squares[-1]) / len(spins), spins @ axes[:, -1]


def halves(spins: Floats) -> Floats | None:
    """Spins (n, m) that all lie on the line which these nearly do, half on either side.

    None where they do not nearly lie on one, or its sides are of unequal size.
    """
    share, places = line_of(spins)
    signs = np.where(places > 0, 1.0, -1.0)
    if share <= NEARLY_ON_A_LINE or signs.sum():
        return None
    straight = np.zeros_like(spins)
    straight[:, 0] = signs
    return straight
