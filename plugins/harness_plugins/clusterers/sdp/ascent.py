"""Ascent from any start by L-BFGS on the spheres: one product with W a step."""

import numpy as np

from harness import Floats, Integers
from harness_plugins.clusterers.sdp.batch import Batch, dots, node_dots
from harness_plugins.clusterers.sdp.curvature import Curvature
from harness_plugins.clusterers.sdp.geometry import NEARLY_BALANCED, fit, tangent

# Fraction of the gain that the slope promises by which a step must raise the objective.
SUFFICIENT_GAIN = 1e-4
# Error of an objective by rounding, in units of the rounding of numbers times Σ|y|.
ROUNDING = 8
# Longest move of a spin; factor by which a step that fails is shortened, and the shortest step.
LONGEST_MOVE = 1.0
SHORTER = 0.3
SHORTEST_STEP = 1e-4


def ascend(batch: Batch, spins: Floats, slope: Floats, most: Integers) -> tuple[Floats, Integers]:
    """Better spins (k, m, n), and the number of products with the weights for each programme (k,).

    Ends where the gradient's norm is at most slope (k,) times the objective, after `most` (k,)
    products, or where no step raises the objective, as at the limit of precision.

    Each step follows L-BFGS' direction, with y + the root mean square of the eigenvalues of W on
    the diagonal, and is brought back to feasible spins. A step that does not raise the objective is
    shortened, and L-BFGS' memory emptied before the search ends.
    """
    k, m, n = spins.shape
    ended = np.empty_like(spins)
    products = np.zeros(k, dtype=np.int64)
    left = np.arange(k)
    epsilon = np.finfo(spins.dtype).eps
    nearly = NEARLY_BALANCED[spins.dtype]

    curvature = Curvature(k, m * n, spins.dtype)
    spins, _ = fit(batch, spins)
    field, total = batch.field(spins), spins.sum(axis=2)
    length = np.ones(k, spins.dtype)
    stuck = np.zeros(k, dtype=bool)
    used = 1
    at = tangent(batch, spins, field)
    while True:
        value = dots(spins, field)
        scale = np.maximum(np.abs(value) / 2, batch.smallest_scale)
        going = (dots(at.gradient, at.gradient) > (slope * scale) ** 2) & ~stuck & (used < most)
        if not going.all():
            ended[left[~going]], products[left[~going]] = spins[~going], used
            if not going.any():
                return ended, products
            left, slope, most = left[going], slope[going], most[going]
            spins, field, total = spins[going], field[going], total[going]
            value, length, stuck = value[going], length[going], stuck[going]
            batch = batch.take(going)
            curvature.take(going)
            at = at.take(batch, going)

        diagonal = np.maximum(at.dual, 0) + batch.spread[:, None]
        direction = at.project(curvature.direction(at.gradient, diagonal))
        rise = dots(at.gradient, direction)
        falling = ~(rise > 0)
        if falling.any():
            curvature.forget(falling)
            direction[falling] = at.project(at.gradient / diagonal[:, None])[falling]
            rise = dots(at.gradient, direction)
        farthest = np.sqrt(node_dots(direction, direction).max(axis=1))
        reach = length * np.minimum(1, LONGEST_MOVE / farthest)
        move = direction * reach[:, None, None]

        moved, imbalance = fit(batch, spins + move, at.inverse)
        moved_field, moved_total = batch.field(moved), moved.sum(axis=2)
        used += 1
        # The Lagrangian, ½Σσ·field − μ·Σσ, rises even if balance is not exact.
        gain = dots(moved - spins, moved_field + field) / 2
        gain -= (at.multiplier * (moved_total - total)).sum(axis=1)
        rounding = ROUNDING * epsilon * np.abs(at.dual).sum(axis=1)
        accepted = (gain >= SUFFICIENT_GAIN * reach * rise - rounding) & (imbalance <= nearly)
        if not accepted.all():
            kept = ~accepted
            moved[kept], moved_field[kept], moved_total[kept] = (
                spins[kept],
                field[kept],
                total[kept],
            )
        spins, field, total = moved, moved_field, moved_total
        before, at = at.gradient, tangent(batch, spins, field)
        curvature.remember(accepted, move, before - at.gradient)
        length = np.where(accepted, 1, length * SHORTER).astype(spins.dtype)
        failed = length < SHORTEST_STEP
        if failed.any():
            stuck = failed & curvature.is_empty
            curvature.forget(failed)
            length[failed] = 1
