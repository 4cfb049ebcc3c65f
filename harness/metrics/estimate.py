"""A mean over images with what it says about others: an interval and a test."""

import math
from dataclasses import dataclass

from harness.metrics.inference import bootstrap_interval, signed_rank_p
from harness.plugin.values import Floats


@dataclass(frozen=True)
class Estimate:
    """The mean over images, its 95 % bootstrap interval, and p of Wilcoxon's signed-rank test.

    The test is two-sided, that images' figures lie around 0. None where there are too few images.
    """

    mean: float
    low: float | None
    high: float | None
    p: float | None


def estimate(figures: Floats) -> Estimate:
    """What figures (images,), one or more and all defined, say of their mean."""
    interval = bootstrap_interval(figures)
    low, high, p = (
        None if math.isnan(value) else value for value in (*interval, signed_rank_p(figures))
    )
    return Estimate(float(figures.mean()), low, high, p)
