"""Ascent from any start: accelerated minorise-maximise steps, one product with W each."""

import math

import numpy as np

from harness import Floats
from harness_plugins.clusterers.sdp.programme import NEARLY_BALANCED, Programme, row_squares

# The relative gap to the optimum over the mean squared length of a step: 20 to 100 on block,
# geometric and scale-free graphs and on thresholded attention, more where optima are degenerate.
GAP_OF_STEP = 50.0
# Fraction of the surrogate's gain by which a step must raise the objective.
SUFFICIENT_GAIN = 0.1
# Imbalance during the ascent, as a fraction of the target gap.
BALANCED_ON_THE_WAY = 0.1
# Relative error of sums that counts as rounding.
ROUNDING = 1e-12
# Growth of the shift beyond which no step helps.
LARGEST_GROWTH = 1e6


def ascend(
    programme: Programme, spins: Floats, shift: float, tolerance: float, most: int
) -> tuple[Floats, int]:
    """Better spins, and the number of products with the weights, at most `most`.

    Each step extrapolates the spins and replaces them by the feasible spins that fit best the
    field plus shift·σ (Nesterov's momentum on the minorant given by a large shift). Momentum
    restarts when it fails to help; if a step without it fails too, the shift, initially about the
    root mean square of the eigenvalues, is raised, which also balances the initial spins. Ends
    when the steps are so short that the relative gap should be below the tolerance.
    """
    first_shift = shift
    balanced = max(NEARLY_BALANCED, BALANCED_ON_THE_WAY * tolerance)
    field, total = programme.field(spins), spins.sum(axis=0)
    previous, previous_field = spins, field
    centre = np.zeros(spins.shape[1])
    momentum = 1.0
    products = 0
    while products < most and shift < LARGEST_GROWTH * first_shift:
        products += 1
        next_momentum = (1 + math.sqrt(1 + 4 * momentum**2)) / 2
        reach = (momentum - 1) / next_momentum
        ahead = spins + reach * (spins - previous)
        ahead_field = field + reach * (field - previous_field) + shift * ahead
        fit = programme.fit(ahead_field, centre, balanced)
        following, multiplier, pulls = fit.spins, fit.multiplier, fit.pulls
        following_total = following.sum(axis=0)
        following_field = programme.field(following)

        # The Lagrangian, ½Σσ·field − μ·Σσ, rises even if balance is not exact.
        gain = 0.5 * float(np.vdot(following, following_field) - np.vdot(spins, field))
        gain -= float(multiplier @ (following_total - total))
        promised = 0.5 * float(pulls @ row_squares(following - spins))
        rounding = ROUNDING * float(pulls.sum())
        if (
            fit.imbalance > balanced
            or pulls.min() <= ROUNDING * shift
            or gain < SUFFICIENT_GAIN * promised - rounding
        ):
            if reach > 0:
                momentum, previous, previous_field = 1.0, spins, field
            else:
                shift *= 1.5
            continue

        step = float(pulls @ row_squares(following - ahead)) / float(pulls.sum())
        previous, previous_field = spins, field
        spins, field, total = following, following_field, following_total
        centre, momentum = multiplier, next_momentum
        # A larger shift shortens the steps at the same distance from the optimum.
        if GAP_OF_STEP * step * (shift / first_shift) ** 2 <= tolerance:
            break
    if programme.balanced:
        exactly = programme.fit(spins, np.zeros_like(centre))
        if exactly.imbalance <= NEARLY_BALANCED:
            spins = exactly.spins
    return spins, products
