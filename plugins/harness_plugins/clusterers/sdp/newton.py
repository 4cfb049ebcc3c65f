"""The last digits: Newton's method on the spins, by conjugate gradients."""

import math

import numpy as np

from harness import Floats
from harness_plugins.clusterers.sdp.programme import NEARLY_BALANCED, Programme, Tangent

# Most products per Newton step.
MOST_PRODUCTS_A_STEP = 200
# Curvature, relative to the diagonal's, below which a direction counts as flat.
FLAT = 1e-13
# Largest entry of a step along a direction of upward curvature.
ESCAPE = 0.1
# Smallest fraction of a step that is tried.
SHORTEST_STEP = 1e-5
# Smallest entry of the preconditioner's diagonal, relative to its largest.
SMALLEST_DIAGONAL = 1e-3


def polish(programme: Programme, spins: Floats, target: float, most: int) -> tuple[Floats, int]:
    """Spins whose gradient's norm is at most the target, from nearly optimal spins.

    Also returns the number of products with the weights, about `most` at most. Spins that cannot
    be improved are returned unchanged.
    """
    centre = np.zeros(spins.shape[1])
    field = programme.field(spins)
    objective = float(np.vdot(spins, field))
    products = 1
    while products < most:
        tangent = Tangent(programme, spins, field)
        slope = float(np.linalg.norm(tangent.gradient))
        if slope <= target:
            break
        step, used = _newton_step(
            programme, tangent, slope, min(MOST_PRODUCTS_A_STEP, most - products)
        )
        products += used
        rounding = FLAT * programme.nodes * float(np.abs(tangent.dual).max())
        length = 1.0
        while length >= SHORTEST_STEP:
            fit = programme.fit(spins + length * step, centre)
            following = fit.spins
            following_field = programme.field(following)
            products += 1
            reached = float(np.vdot(following, following_field))
            if fit.imbalance <= NEARLY_BALANCED and (
                reached > objective
                or (
                    reached >= objective - rounding
                    and _slope(programme, following, following_field) < slope
                )
            ):
                spins, field, objective = following, following_field, reached
                break
            length /= 4
        else:
            break
    return spins, products


def _slope(programme: Programme, spins: Floats, field: Floats) -> float:
    return float(np.linalg.norm(Tangent(programme, spins, field).gradient))


def _newton_step(
    programme: Programme, tangent: Tangent, slope: float, most: int
) -> tuple[Floats, int]:
    """An ascent direction (n, m) in the tangent space, and the number of products it took.

    Solves [Diag(y) − W + γ11ᵀ] V = gradient on the tangent space, preconditioned by Diag(|y|), as
    accurately as the distance to the optimum warrants (Dembo, Eisenstat and Steihaug 1982). Stops
    where the curvature is no longer downward.
    """
    dual = tangent.dual[:, None]
    largest = float(np.abs(dual).max())
    inverse = 1 / np.maximum(np.abs(dual), SMALLEST_DIAGONAL * largest)
    relative = slope / (math.sqrt(programme.nodes) * largest)
    enough = min(0.1, math.sqrt(relative)) * slope
    step = np.zeros_like(tangent.gradient)
    residual = tangent.gradient.copy()
    scaled = tangent.project(inverse * residual)
    direction = scaled.copy()
    norm = float(np.vdot(residual, scaled))
    products = 0
    while products < most:
        image = tangent.project(dual * direction - programme.field(direction))
        products += 1
        curvature = float(np.vdot(direction, image))
        if curvature <= FLAT * float(np.vdot(direction, dual * direction)):
            if products == 1:
                step = direction * (ESCAPE / float(np.abs(direction).max()))
            break
        length = norm / curvature
        step += length * direction
        residual -= length * image
        if float(np.linalg.norm(residual)) <= enough:
            break
        scaled = tangent.project(inverse * residual)
        next_norm = float(np.vdot(residual, scaled))
        direction = scaled + (next_norm / norm) * direction
        norm = next_norm
    return step, products
