"""Significance of a statistic against a null model: p values and false discovery rates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.metrics.ties import difference, exceeds, merge_ties
from harness.plugin.values import Floats

# The largest p or false discovery rate that counts as significant.
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Significance:
    """An observed statistic beside those of the null's draws; NaN is undefined.

    null_mean, null_std: mean and standard deviation of the draws; z: (statistic − mean) / std, NaN
    if all draws tie; p: as `p_value` defines it.
    """

    statistic: float
    null_statistics: Sequence[float]
    null_mean: float
    null_std: float
    z: float
    p: float


def significance(statistic: float, nulls: Sequence[float]) -> Significance:
    """Compare a statistic with those of the null's draws.

    The mean and the sample standard deviation (n − 1) ignore NaN; the p value counts it.
    """
    defined = np.array([null for null in nulls if not math.isnan(null)])
    mean = float(defined.mean()) if len(defined) else math.nan
    std = float(defined.std(ddof=1)) if len(defined) > 1 else math.nan
    differ = len(defined) > 1 and exceeds(defined.max(), defined.min())
    z = (statistic - mean) / std if differ else math.nan
    return Significance(statistic, nulls, mean, std, z, p_value(statistic, nulls))


def p_value(statistic: float, nulls: ArrayLike, tie: float = 1.0) -> float:
    """Compute the one-sided Monte Carlo p value of a statistic.

    p = (1 + #{nulls ≥ statistic}) / (B + 1) for B draws of the null model. The observed statistic
    counts as one of the draws, so p is never 0 and the test is valid for every B. Statistics that
    differ only by rounding are equal (`merge_ties`).

    Parameters
    ----------
    statistic : float
        The observed statistic; large values are evidence against the null. NaN counts as smaller
        than every number.
    nulls : array_like, shape (B,)
        The same statistic on each draw of the null model; NaN as above.
    tie : float, default 1.0
        The weight of values that equal the statistic, including the observed one. If equal values
        are possible, draw it uniformly from (0, 1] to make p uniform under the null.

    Returns
    -------
    float
        p in (0, 1].

    References
    ----------
    Phipson and Smyth 2010, "Permutation p-values should never be zero", equation 2.

    Examples
    --------
    >>> harness.p_value(3.0, [1.0, 2.0, 4.0])
    0.5
    >>> harness.p_value(5.0, [1.0] * 39)
    0.025
    """
    every = np.concatenate([[statistic], np.asarray(nulls, dtype=np.float64)])
    merged = merge_ties(np.where(np.isnan(every), -np.inf, every))
    observed, drawn = merged[0], merged[1:]
    larger, equal = np.count_nonzero(drawn > observed), np.count_nonzero(drawn == observed)
    return float((larger + tie * (1 + equal)) / (len(drawn) + 1))


def is_significant(rates: ArrayLike) -> NDArray[np.bool_]:
    """Which p values or false discovery rates are at most .05; NaN is not."""
    return np.asarray(difference(rates, SIGNIFICANT) <= 0)


def false_discovery_rates(p_values: ArrayLike, *, dependent: bool = False) -> Floats:
    """Compute the smallest false discovery rate at which each test of a family is rejected.

    NaN where there was no test. Tests that may depend on each other in any way are adjusted after
    Benjamini and Yekutieli 2001; independent or positively dependent ones after Benjamini and
    Hochberg 1995.

    >>> false_discovery_rates([0.01, 0.5, float("nan")]).tolist()
    [0.02, 0.5, nan]
    """
    family = np.asarray(p_values, dtype=np.float64)
    rates, tested = np.full(family.shape, np.nan), np.flatnonzero(~np.isnan(family))
    # From the largest p on, the smallest rate so far.
    falling = tested[np.argsort(family[tested], kind="stable")[::-1]]
    ranks = np.arange(len(tested), 0, -1)
    adjusted = family[falling] * (len(tested) / ranks)
    if dependent:
        adjusted *= (1 / np.arange(1, len(tested) + 1)).sum()
    rates[falling] = np.minimum(np.minimum.accumulate(adjusted), 1.0)
    return rates
