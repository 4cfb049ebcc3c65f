"""Which figures are equal up to rounding: the one tolerance of every comparison between figures."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from harness.plugin.values import Floats

# Two figures tie if they differ by no more than this, relative to the larger of them or to 1: the
# scale of modularity and the other figures is 1, also where they are differences of larger terms.
# Rounding stays below 1e-14, and differences that mean something are above 1e-9.
TOLERANCE = 1e-9


def difference(first: ArrayLike, second: ArrayLike) -> Floats:
    """`first` − `second`, 0 where they tie; NaN where one is undefined."""
    if isinstance(first, float) and isinstance(second, float):
        # Every level of every cell has some of these, and arrays take ten times as long.
        return np.asarray(single_difference(float(first), float(second)))
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        gap = one - other
    scale = np.maximum(1.0, np.maximum(np.abs(one), np.abs(other)))
    is_rounding = (one == other) | (np.isfinite(gap) & (np.abs(gap) <= TOLERANCE * scale))
    return np.where(is_rounding, 0.0, gap)


def single_difference(one: float, other: float) -> float:
    """`difference` of two numbers."""
    gap = one - other
    scale = max(1.0, abs(one), abs(other))
    is_rounding = one == other or (math.isfinite(gap) and abs(gap) <= TOLERANCE * scale)
    return 0.0 if is_rounding else gap


def exceeds(first: ArrayLike, second: ArrayLike) -> NDArray[np.bool_]:
    """Test where `first` is larger than `second` by more than rounding.

    Two numbers tie if they differ by at most 1e-9, relative to the largest of both magnitudes
    and 1. NaN exceeds nothing and is not exceeded.

    Parameters
    ----------
    first, second : array_like of float
        Numbers whose shapes broadcast.

    Returns
    -------
    ndarray of bool
        Of the broadcast shape.

    Examples
    --------
    >>> bool(harness.exceeds(0.1 + 0.2, 0.3)), bool(harness.exceeds(0.31, 0.3))
    (False, True)
    """
    return np.asarray(difference(first, second) > 0)


def merge_ties(values: ArrayLike) -> Floats:
    """Replace numbers that tie (`exceeds`) by the smallest of them.

    Afterwards `==`, `argmax` and ranks treat numbers that differ only by rounding as equal.

    Parameters
    ----------
    values : array_like of float, shape (n, …)
        Numbers, compared along the first axis; NaN ties with nothing.

    Returns
    -------
    ndarray of float, shape (n, …)
        The numbers in their original order.

    Examples
    --------
    >>> harness.merge_ties([0.3, 0.1, 0.1 + 0.2]).tolist()
    [0.3, 0.1, 0.3]
    """
    figures = np.asarray(values, dtype=np.float64)
    order = np.argsort(figures, axis=0, kind="stable")
    rising = np.take_along_axis(figures, order, axis=0)
    begins = np.ones(figures.shape, dtype=np.bool_)
    begins[1:] = difference(rising[1:], rising[:-1]) != 0
    places = np.arange(len(figures)).reshape(-1, *[1] * (figures.ndim - 1))
    smallest = np.maximum.accumulate(np.where(begins, places, 0), axis=0)
    merged = np.empty_like(figures)
    np.put_along_axis(merged, order, np.take_along_axis(rising, smallest, axis=0), axis=0)
    return merged


def ranks_of(values: ArrayLike) -> Floats:
    """The ranks of figures (n, …) along the first axis, from 1; equal ones share their mean rank.

    Merge ties first; there is no NaN.

    >>> ranks_of([0.3, 0.1, 0.3]).tolist()
    [2.5, 1.0, 2.5]
    """
    figures = np.asarray(values, dtype=np.float64)
    order = np.argsort(figures, axis=0, kind="stable")
    rising = np.take_along_axis(figures, order, axis=0)
    differs = rising[1:] != rising[:-1]
    edge = np.ones_like(rising[:1], dtype=np.bool_)
    places = np.arange(1, len(figures) + 1).reshape(-1, *[1] * (figures.ndim - 1))
    first = np.maximum.accumulate(np.where(np.concatenate([edge, differs]), places, 0), axis=0)
    ends = np.where(np.concatenate([differs, edge]), places, len(figures) + 1)
    last = np.minimum.accumulate(ends[::-1], axis=0)[::-1]
    ranks = np.empty_like(figures)
    np.put_along_axis(ranks, order, (first + last) / 2, axis=0)
    return ranks
