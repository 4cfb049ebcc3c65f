"""Chi-squared and Student's t for whole degrees of freedom.

scipy.special has them too, and takes longer to import than most leaderboards to be made.
"""

import math
from functools import cache
from statistics import NormalDist

# Newton's method doubles the digits in every step; for one degree of freedom it needs the most.
MOST_STEPS = 60


def chi_squared_tail(degrees: int, value: float) -> float:
    """The probability that chi-squared exceeds a value (Abramowitz and Stegun 26.4.4 and 26.4.5).

    >>> round(chi_squared_tail(2, 5.991), 4)
    0.05
    """
    if value <= 0:
        return 1.0
    half, odd = value / 2, degrees % 2
    tail = math.erfc(math.sqrt(half)) if odd else 0.0
    powers = (index + odd / 2 for index in range(degrees // 2))
    return tail + math.fsum(
        math.exp(power * math.log(half) - half - math.lgamma(power + 1)) for power in powers
    )


@cache
def student_reach(degrees: int, outside: float) -> float:
    """The distance from 0 beyond which, on both sides, Student's t is with a probability.

    outside: the probability, below 1.

    >>> round(student_reach(9, 0.05), 3)
    2.262
    """
    log_scale = math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)
    reach = NormalDist().inv_cdf(1 - outside / 2)
    for _ in range(MOST_STEPS):
        log_density = log_scale - (degrees + 1) / 2 * math.log1p(reach**2 / degrees)
        density = math.exp(log_density) / math.sqrt(degrees * math.pi)
        step = (1 - outside - _student_inside(degrees, reach)) / (2 * density)
        reach += step
        if abs(step) <= 1e-15 * reach:
            break
    return reach


def _student_inside(degrees: int, reach: float) -> float:
    """The probability that |t| is below a reach (Abramowitz and Stegun 26.7.3 and 26.7.4)."""
    angle = math.atan2(reach, math.sqrt(degrees))
    cosine, odd = math.cos(angle), degrees % 2
    terms = [cosine if odd else 1.0]
    for index in range(2 + odd, degrees, 2):
        terms.append(terms[-1] * cosine**2 * (index - 1) / index)
    series = math.sin(angle) * math.fsum(terms)
    if not odd:
        return series
    return 2 / math.pi * (angle + (series if degrees > 1 else 0.0))
