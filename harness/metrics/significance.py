"""How a figure stands among the same figure's values on draws of a null model."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from harness.plugin.values import Floats


@dataclass(frozen=True)
class Significance:
    """A statistic among those of draws, of which these are mean and standard deviation.

    z = (statistic − mean) / deviation; p as `p_value` has it. What is undefined is NaN.
    """

    statistic: float
    null_statistics: Sequence[float]
    null_mean: float
    null_deviation: float
    z: float
    p: float


def significance(statistic: float, nulls: Sequence[float]) -> Significance:
    """Where a statistic stands among the nulls'; those that are undefined are in p only.

    The deviation is the sample's (n − 1), so that at least two nulls must be defined for z.
    """
    defined = np.array([null for null in nulls if not math.isnan(null)])
    mean = float(defined.mean()) if len(defined) else math.nan
    deviation = float(defined.std(ddof=1)) if len(defined) > 1 else math.nan
    z = (statistic - mean) / deviation if deviation > 0 else math.nan
    return Significance(statistic, nulls, mean, deviation, z, p_value(statistic, nulls))


def p_value(statistic: float, nulls: ArrayLike, tie: float = 1.0) -> float:
    """The share of draws at least as large, the observed one among them.

    p = (1 + #{nulls ≥ statistic}) / (B + 1) for B nulls (Phipson and Smyth 2010, "Permutation
    p-values should never be zero", eq. 2): no less likely than said to be so small if the
    observed is one draw more from the null, however the statistic is distributed. An undefined
    statistic (NaN) is smaller than every other.

    With `tie` drawn uniformly from (0, 1] those that equal the statistic, itself included, count
    with that share each, and p is uniform on the null although statistics may be equal.
    """
    floor = np.nan_to_num(np.asarray(nulls, dtype=np.float64), nan=-np.inf)
    observed = -math.inf if math.isnan(statistic) else statistic
    larger, equal = np.count_nonzero(floor > observed), np.count_nonzero(floor == observed)
    return float((larger + tie * (1 + equal)) / (len(floor) + 1))


def false_discovery_rates(p_values: ArrayLike) -> Floats:
    """For each p value of a family the smallest false discovery rate at which it is rejected.

    Benjamini and Hochberg 1995, "Controlling the false discovery rate"; (tests,) to (tests,), NaN
    where there was no test. The tests may depend on each other positively.
    """
    return _adjusted(p_values, "bh")


def false_discovery_rates_of_dependent(p_values: ArrayLike) -> Floats:
    """The same, however the tests depend on each other (Benjamini and Yekutieli 2001)."""
    return _adjusted(p_values, "by")


def _adjusted(p_values: ArrayLike, method: Literal["bh", "by"]) -> Floats:
    from scipy.stats import false_discovery_control

    family = np.asarray(p_values, dtype=np.float64)
    rates, tested = np.full(family.shape, np.nan), ~np.isnan(family)
    if tested.any():
        rates[tested] = false_discovery_control(family[tested], method=method)
    return rates
