"""Whether methods differ, judged image by image.

Scores are arrays (methods, images), larger is better, NaN where a method has none. An image is
the unit: what a method reached on several heads of it is no independent evidence.
"""

import itertools
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness.metrics.significance import false_discovery_rates_of_dependent
from harness.plugin.values import Floats, Integers

# Rates at which a difference counts.
SIGNIFICANT = 0.05
# With fewer images no two-sided paired test of ranks falls below .05: 2 · 2⁻⁵ = .0625.
FEWEST_IMAGES = 6
# Images up to which every choice of signs is counted; beyond, ranks sum to nearly normal sums.
MOST_EXACT = 200
RESAMPLES = 2000
# Of images: there may be very many.
DRAWN_AT_ONCE = 2**20


@dataclass(frozen=True)
class Pair:
    """Two methods, by their numbers, on the images that both have.

    wins: the mean over images of how often the first is better than the second less how often
    it is worse, over the criteria: in −1 … 1. p of the two-sided Wilcoxon signed-rank test of
    that; q the false discovery rate over all pairs. NaN where there are too few images.
    """

    first: int
    second: int
    wins: float
    p: float
    q: float


@dataclass(frozen=True, eq=False)
class Standings:
    """How methods stand: mean ranks (methods,), tiers (methods,) from 1, and what was tested.

    A tier of 0 is none: an incomplete method has no tier. omnibus is the p value of Friedman's
    test, NaN for fewer than three complete methods or too few images.
    """

    mean_ranks: Floats
    tiers: Integers
    omnibus: float
    pairs: Sequence[Pair]


def image_ranks(criteria: Sequence[Floats]) -> Floats:
    """The rank of every method on every image, (methods, images), 1 the best.

    The mean of its ranks by each criterion; ties share their mean rank, and a method without a
    score comes last.
    """
    from scipy.stats import rankdata

    worst_last = [np.where(np.isnan(scores), np.inf, -scores) for scores in criteria]
    ranks = [rankdata(scores, axis=0) for scores in worst_last]
    return np.asarray(np.mean(ranks, axis=0), dtype=np.float64)


def standings(criteria: Sequence[Floats]) -> Standings:
    """Mean ranks over images, and tiers of methods that cannot be told apart.

    Complete methods are taken in the order of their mean ranks. The best opens the first tier; a
    method opens the next if the one that opened the tier before is better than it: Friedman's
    test of all complete methods rejects and the pair's q is at most .05 (Demšar 2006,
    "Statistical comparisons of classifiers over multiple data sets"). Pairs are tested on their own
    scores, so that no third method decides about them (Benavoli, Corani and Mangili 2016,
    "Should we really use post-hoc tests based on mean-ranks?"), and corrected for their
    dependence (Benjamini and Yekutieli 2001).
    """
    complete = [
        method
        for method in range(len(criteria[0]))
        if not any(np.isnan(scores[method]).any() for scores in criteria)
    ]
    ranks = image_ranks(criteria)
    mean_ranks = ranks.mean(axis=1)
    omnibus = _friedman(image_ranks([scores[complete] for scores in criteria]))
    pairs = _pairs(criteria, complete)
    better = {
        (pair.first, pair.second) if pair.wins > 0 else (pair.second, pair.first)
        for pair in pairs
        if pair.q <= SIGNIFICANT and not omnibus > SIGNIFICANT
    }
    tiers = np.zeros(len(ranks), dtype=np.int64)
    tier, leader = 0, -1
    for method in sorted(complete, key=lambda method: mean_ranks[method]):
        if leader < 0 or (leader, method) in better:
            tier, leader = tier + 1, method
        tiers[method] = tier
    return Standings(mean_ranks, tiers, omnibus, pairs)


def _friedman(ranks: Floats) -> float:
    from scipy.stats import friedmanchisquare

    methods, images = ranks.shape
    if methods < 3 or images < FEWEST_IMAGES:
        return float("nan")
    with warnings.catch_warnings():
        # All ranks equal: 0/0, which is no difference.
        warnings.simplefilter("ignore", RuntimeWarning)
        p = float(friedmanchisquare(*ranks).pvalue)
    return 1.0 if np.isnan(p) else p


def _pairs(criteria: Sequence[Floats], complete: Sequence[int]) -> list[Pair]:
    found = []
    for first, second in itertools.combinations(complete, 2):
        signs = [np.sign(scores[first] - scores[second]) for scores in criteria]
        wins = np.mean(signs, axis=0)
        found.append((first, second, float(wins.mean()), signed_rank_p(wins)))
    rates = false_discovery_rates_of_dependent([p for *_, p in found])
    return [Pair(*pair, rate) for pair, rate in zip(found, rates.tolist(), strict=True)]


def signed_rank_p(differences: Floats) -> float:
    """The two-sided p of Wilcoxon's signed-rank test of differences (images,).

    Exact with ties and zeros up to 200 images: among all ways to give the ranks of |d| signs, the
    share that leads as far from 0 as was seen. Zeros are ranked and have no sign (Pratt 1959).
    NaN for fewer than six images, of which no choice of signs falls below .05.
    """
    from scipy.stats import rankdata, wilcoxon

    if len(differences) < FEWEST_IMAGES:
        return float("nan")
    if not differences.any():
        return 1.0
    if len(differences) > MOST_EXACT:
        return float(wilcoxon(differences, zero_method="pratt", method="asymptotic").pvalue)
    # Twice the ranks are whole, ties included.
    ranks = np.rint(2 * rankdata(np.abs(differences))).astype(np.int64)
    observed = abs(int(np.sign(differences) @ ranks))
    signed = ranks[differences != 0]
    total = int(signed.sum())
    # Chance of each sum of the ranks with a plus; a signed sum is twice that less all.
    chances = np.zeros(total + 1)
    chances[0] = 1.0
    for rank in signed.tolist():
        chances[rank:] += chances[:-rank].copy()
        chances /= 2
    far = np.abs(2 * np.arange(total + 1) - total) >= observed
    return min(1.0, float(chances[far].sum()))


def bootstrap_interval(scores: Floats, level: float = 0.95) -> tuple[float, float]:
    """The percentile interval of the mean of (images,) over resampled images; always the same.

    NaN for fewer than two images. Efron 1979, "Bootstrap methods: another look at the jackknife".
    """
    if len(scores) < 2:
        return float("nan"), float("nan")
    means = np.concatenate([scores[drawn].mean(axis=1) for drawn in _resamples(len(scores))])
    tail = 100 * (1 - level) / 2
    low, high = np.percentile(means, [tail, 100 - tail])
    return float(low), float(high)


def _resamples(images: int) -> Iterator[Integers]:
    """The numbers of the images of every resample, some (resamples, images) at a time."""
    random = np.random.default_rng(0)
    at_once = max(1, DRAWN_AT_ONCE // images)
    for first in range(0, RESAMPLES, at_once):
        yield random.integers(0, images, (min(at_once, RESAMPLES - first), images))


def bootstrap_intervals(sums: Floats, counts: Floats, level: float = 0.95) -> tuple[Floats, Floats]:
    """The percentile intervals of means over what images have several of: lows and highs.

    sums, counts: (images, figures), what an image's values of a figure add up to, and how many it
    has. Whole images are resampled, as for `bootstrap_interval`, with which it agrees where each
    has one value. NaN for figures of fewer than two images.
    """
    images, figures = sums.shape
    low, high = np.full((2, figures), np.nan)
    several = np.count_nonzero(counts, axis=0) > 1
    if not several.any():
        return low, high
    found = []
    for drawn in _resamples(images):
        places = drawn + images * np.arange(len(drawn))[:, None]
        times = np.bincount(places.ravel(), minlength=drawn.size).reshape(drawn.shape)
        total = times @ counts[:, several]
        means = np.full(total.shape, np.nan)
        np.divide(times @ sums[:, several], total, out=means, where=total > 0)
        found.append(means)
    tail = 100 * (1 - level) / 2
    low[several], high[several] = np.nanpercentile(
        np.concatenate(found), [tail, 100 - tail], axis=0
    )
    return low, high


@dataclass(frozen=True)
class Spread:
    """Standard deviations of a score: across images of the means over seeds, and across seeds.

    The latter is the root mean square over images. NaN with one image, or one seed.
    """

    across_images: float
    across_seeds: float


def spread(scores: Floats) -> Spread:
    """How much scores (images, seeds) vary, the two causes apart."""
    images, seeds = scores.shape
    between = float(scores.mean(axis=1).std(ddof=1)) if images > 1 else float("nan")
    within = float(np.sqrt(scores.var(axis=1, ddof=1).mean())) if seeds > 1 else float("nan")
    return Spread(between, within)
