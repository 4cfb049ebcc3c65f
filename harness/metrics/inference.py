"""Inference over images: intervals, paired tests and tiers of methods.

The image is the unit of replication: figures of several heads of one image are not independent.
Scores of methods are arrays (methods, images); larger is better, NaN where a method has none.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness.metrics.distributions import chi_squared_tail, student_reach
from harness.metrics.significance import (
    SIGNIFICANT,
    false_discovery_rates,
    is_significant,
)
from harness.metrics.ties import difference, exceeds, merge_ties, ranks_of
from harness.plugin.values import Floats, Integers

# With fewer images no two-sided signed-rank test falls below .05: 2 · 2⁻⁵ = .0625.
FEWEST_IMAGES = 6
# The signed-rank test is exact up to this many images, and asymptotic beyond.
MOST_EXACT = 200
RESAMPLES = 2000
# Percent beyond each end of a 95 % interval.
TAIL = 100 * (1 - 0.95) / 2
# Bounds the memory of a bootstrap: image indices drawn at a time.
DRAWN_AT_ONCE = 2**20


@dataclass(frozen=True)
class Estimate:
    """A mean over images, its 95 % bootstrap interval and its test.

    p is of the two-sided signed-rank test against zero. None where there are too few images.
    """

    mean: float
    low: float | None
    high: float | None
    p: float | None


def estimate(figures: Floats) -> Estimate:
    """Estimate the mean of figures (images,), at least one and without NaN."""
    low, high, p = (
        None if math.isnan(value) else value
        for value in (*bootstrap_interval(figures), signed_rank_p(figures))
    )
    return Estimate(float(figures.mean()), low, high, p)


@dataclass(frozen=True)
class Pair:
    """The comparison of two methods, given by their indices.

    wins: the mean over images and criteria of the sign of the difference, −1 … 1; positive if the
    first is better. p: the two-sided signed-rank test of each image's mean sign; q: the false
    discovery rate over all pairs. Both are NaN if there are too few images.
    """

    first: int
    second: int
    wins: float
    p: float
    q: float


@dataclass(frozen=True, eq=False)
class Standings:
    """Mean ranks (methods,), tiers (methods,) from 1, and the tests behind them.

    A method without a complete image has mean rank NaN and tier 0. images: how many images the
    ranks are over; omnibus: p of Friedman's test, NaN for fewer than three methods or too few
    images.
    """

    mean_ranks: Floats
    tiers: Integers
    images: int
    omnibus: float
    pairs: Sequence[Pair]


def image_ranks(criteria: Sequence[Floats]) -> Floats:
    """The rank of every method on every image, (methods, images); 1 is the best.

    Ranks are averaged over the criteria. Scores that tie up to rounding share their mean rank.
    """
    ranks = [ranks_of(-merge_ties(scores)) for scores in criteria]
    return np.asarray(np.mean(ranks, axis=0), dtype=np.float64)


def standings(criteria: Sequence[Floats]) -> Standings:
    """Rank methods, and group those that cannot be distinguished into tiers.

    A method completes an image if it has every score on it. Methods are compared on the images that
    all of them complete; a method that completes none is left out. They are visited by mean rank.
    The best one opens the first tier; a later one opens a new tier if the method that opened the
    current tier is significantly better: Friedman's test rejects, and q of the pair is at most .05
    (Demšar 2006). Each pair is tested on its own scores, so that those of other methods do not
    affect it (Benavoli, Corani and Mangili 2016).
    """
    complete = np.asarray(~np.isnan(np.stack(criteria)).any(axis=0))
    compared = np.flatnonzero(complete.any(axis=1))
    shared = complete[compared].all(axis=0) & complete.any(axis=0)
    scores = [each[compared][:, shared] for each in criteria]
    mean_ranks, tiers = np.full(len(complete), np.nan), np.zeros(len(complete), dtype=np.int64)
    if not shared.any():
        return Standings(mean_ranks, tiers, 0, math.nan, [])
    ranks = image_ranks(scores)
    mean_ranks[compared] = ranks.mean(axis=1)
    omnibus = _friedman(ranks)
    pairs = _pairs(scores, compared.tolist())
    better = {
        (pair.first, pair.second) if pair.wins > 0 else (pair.second, pair.first)
        for pair in pairs
        if is_significant(pair.q) and not exceeds(omnibus, SIGNIFICANT)
    }
    tier, leader = 0, -1
    for method in sorted(compared.tolist(), key=lambda method: float(mean_ranks[method])):
        if leader < 0 or (leader, method) in better:
            tier, leader = tier + 1, method
        tiers[method] = tier
    return Standings(mean_ranks, tiers, int(shared.sum()), omnibus, pairs)


def _friedman(ranks: Floats) -> float:
    """The p of Friedman's test of ranks (methods, images), corrected for ties (Conover 1999)."""
    methods, images = ranks.shape
    if methods < 3 or images < FEWEST_IMAGES:
        return float("nan")
    ranked = ranks_of(ranks)
    ties = sum(
        int((sizes**3 - sizes).sum())
        for of_image in ranked.T
        for sizes in [np.unique(of_image, return_counts=True)[1]]
    )
    correction = 1 - ties / (methods * (methods * methods - 1) * images)
    if not correction:
        return 1.0
    squares = (ranked.sum(axis=1) ** 2).sum()
    expected = 3 * images * (methods + 1)
    statistic = (12.0 / (methods * images * (methods + 1)) * squares - expected) / correction
    return chi_squared_tail(methods - 1, float(statistic))


def _pairs(criteria: Sequence[Floats], methods: Sequence[int]) -> list[Pair]:
    found = []
    for (row, first), (other, second) in itertools.combinations(enumerate(methods), 2):
        signs = [np.sign(difference(scores[row], scores[other])) for scores in criteria]
        wins = np.mean(signs, axis=0)
        found.append((first, second, float(wins.mean()), signed_rank_p(wins)))
    rates = false_discovery_rates([p for *_, p in found], dependent=True)
    return [Pair(*pair, rate) for pair, rate in zip(found, rates.tolist(), strict=True)]


def signed_rank_p(differences: Floats) -> float:
    """Compute the two-sided p value of Wilcoxon's signed-rank test on differences (images,).

    Up to 200 images the test is exact, also with ties and zeros: all 2ⁿ assignments of signs to the
    ranks of |d| are counted. Zeros are ranked and have no sign (Pratt 1959). Rounding counts as 0,
    and |d| that differ by rounding alone as equal. NaN for fewer than six images, for which p
    cannot fall below .05.

    >>> signed_rank_p(np.array([0.5, 0.25, 1.0, 0.75, 0.1, 0.3]))
    0.03125
    """
    if len(differences) < FEWEST_IMAGES:
        return float("nan")
    sizes = merge_ties(difference(np.abs(differences), 0.0))
    if not sizes.any():
        return 1.0
    differences = np.copysign(sizes, differences)
    if len(differences) > MOST_EXACT:
        from scipy.stats import wilcoxon

        return float(wilcoxon(differences, zero_method="pratt", method="asymptotic").pvalue)
    # Doubled ranks are integers also with ties.
    ranks = np.rint(2 * ranks_of(sizes)).astype(np.int64)
    observed = abs(int(np.sign(differences) @ ranks))
    signed = ranks[differences != 0]
    total = int(signed.sum())
    # The probability of each sum s of positive ranks; the signed sum is 2s − total.
    chances = np.zeros(total + 1)
    chances[0] = 1.0
    for rank in signed.tolist():
        chances[rank:] += chances[:-rank].copy()
        chances /= 2
    far = np.abs(2 * np.arange(total + 1) - total) >= observed
    return min(1.0, float(chances[far].sum()))


def mean_interval(scores: Floats) -> tuple[float, float]:
    """Compute Student's 95 % interval of the mean of scores (images,).

    Also where most scores are 0 and a few are not, as with effects on noise, it holds the mean in
    95 % of samples of 16 images or more; percentile and BCa bootstrap intervals hold it less often
    (docs/evidence.md has the figures). NaN for fewer than two images.

    >>> mean_interval(np.array([0.5, 0.5, 0.5]))
    (0.5, 0.5)
    """
    count = len(scores)
    if count < 2:
        return float("nan"), float("nan")
    mean, error = float(scores.mean()), float(scores.std(ddof=1)) / math.sqrt(count)
    reach = student_reach(count - 1, TAIL / 50) * error
    return mean - reach, mean + reach


def bootstrap_interval(scores: Floats) -> tuple[float, float]:
    """Compute the 95 % percentile bootstrap interval of the mean of scores (images,).

    Images are resampled 2,000 times from a fixed seed, so that equal scores give equal intervals
    (Efron 1979). NaN for fewer than two images.

    >>> bootstrap_interval(np.array([0.5, 0.5, 0.5]))
    (0.5, 0.5)
    """
    if len(scores) < 2:
        return float("nan"), float("nan")
    means = np.concatenate([scores[drawn].mean(axis=1) for drawn in _resamples(len(scores))])
    low, high = np.percentile(means, [TAIL, 100 - TAIL])
    return float(low), float(high)


def _resamples(images: int) -> Iterator[Integers]:
    """Indices of the images of all resamples, in chunks (resamples, images)."""
    random = np.random.default_rng(0)
    at_once = max(1, DRAWN_AT_ONCE // images)
    for first in range(0, RESAMPLES, at_once):
        yield random.integers(0, images, (min(at_once, RESAMPLES - first), images))


def bootstrap_intervals(sums: Floats, counts: Floats) -> tuple[Floats, Floats]:
    """The intervals of several means at once, where images have any number of values.

    sums, counts: (images, figures), of an image's values of each figure. Images are resampled as in
    `bootstrap_interval`. Returns both ends, (figures,), NaN for values on fewer than two images.
    """
    images, figures = sums.shape
    low, high = np.full((2, figures), np.nan)
    several = np.count_nonzero(counts, axis=0) > 1
    if not several.any():
        return low, high
    found = []
    for drawn in _resamples(images):
        flat = drawn + images * np.arange(len(drawn))[:, None]
        times = np.bincount(flat.ravel(), minlength=drawn.size).reshape(drawn.shape)
        total = times @ counts[:, several]
        means = np.full(total.shape, np.nan)
        np.divide(times @ sums[:, several], total, out=means, where=total > 0)
        found.append(means)
    ends = np.nanpercentile(np.concatenate(found), [TAIL, 100 - TAIL], axis=0)
    low[several], high[several] = ends
    return low, high


def spread(scores: Floats) -> tuple[float, float]:
    """Standard deviations of scores (images, seeds): of images' means, and pooled across seeds."""
    images, seeds = scores.shape
    across_images = float(scores.mean(axis=1).std(ddof=1)) if images > 1 else float("nan")
    across_seeds = float(np.sqrt(scores.var(axis=1, ddof=1).mean())) if seeds > 1 else float("nan")
    return across_images, across_seeds
