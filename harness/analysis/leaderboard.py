"""The leaderboard: what each method reached on images and on noise, and how certain that is.

Every score is a mean over the method's maps. A selection that found nothing counts 0 in modularity,
control and excess. A map is ok if its cell, its selection, all its controls and its perturbed cells
are; all figures are over the ok maps. Methods are compared on the images of one set, or the maps of
one map set, by the mean of two ranks on each image: by excess modularity and by Jaccard stability.
Complete methods come before incomplete ones.
"""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from harness.analysis.method import MethodKey, flatten, grouped, short_names
from harness.analysis.outcomes import Outcome, outcomes
from harness.errors import HarnessError
from harness.metrics.inference import bootstrap_interval, spread, standings
from harness.planning.progress import SILENT, Progress
from harness.plugin.spec import hint
from harness.plugin.values import Floats
from harness.store import Store, none_for_nan

# Largest false discovery rate at which a selection counts as more than the control.
FALSE_DISCOVERIES = 0.05
# Largest p at which a selection on a map without communities counts as a false alarm.
FALSE_ALARM = 0.05


@dataclass(frozen=True)
class ControlTest:
    """A method against one control: median p, mean z, and how many maps are significant."""

    control: str
    p_value: float | None
    z: float | None
    significant: int


@dataclass(frozen=True, kw_only=True)
class Row:
    """The figures of one method; None is what was not computed.

    excess is modularity minus the reference control's at the same level, with a bootstrap
    interval over images (of modularity if there is no control), and its standard deviations
    across images and across repeats. Methods of one tier cannot be told apart; an incomplete
    method has none. jaccard is the smallest of the three stabilities, averaged over maps: across
    the levels of the plateau, across seeds, across perturbations. p_value (the median), z (the
    mean) and significant (maps at a false discovery rate of .05) compare with the reference
    control, which is the first; `controls` has all.
    Where communities were planted, ari and ami compare with them, ari_best is what the best level
    would have reached and k_error the mean error in the number of clusters; false_alarms is the
    fraction of p ≤ .05 where none were planted. n_clusters, coverage and the Jaccards are over
    accepted selections. seconds is the clusterer's own time for a map at all levels (the median,
    since the first call imports its library).
    """

    rank: int = 0
    tier: int | None = None
    method: MethodKey
    modularity: float | None
    control_modularity: float | None
    excess: float | None
    excess_low: float | None
    excess_high: float | None
    across_images: float | None
    across_seeds: float | None
    modularity_full: float | None
    jaccard: float | None
    jaccard_levels: float | None
    jaccard_seeds: float | None
    jaccard_perturbed: float | None
    mean_rank: float | None = None
    p_value: float | None = None
    z: float | None = None
    significant: int | None = None
    ari: float | None
    ari_best: float | None
    ami: float | None
    k_error: float | None
    false_alarms: float | None = None
    n_clusters: float | None
    coverage: float | None
    accepted: int
    ok: int
    total: int
    seconds: float | None
    controls: tuple[ControlTest, ...]

    @property
    def score(self) -> float | None:
        """Excess modularity, or modularity if there is no control."""
        return self.modularity if self.excess is None else self.excess

    @property
    def accepted_fraction(self) -> float | None:
        """The fraction of the ok maps on which a level was accepted."""
        return self.accepted / self.ok if self.ok else None

    @property
    def significant_fraction(self) -> float | None:
        """The fraction of the ok maps with more structure than the control; None without one."""
        return None if self.significant is None or not self.ok else self.significant / self.ok


# The columns of the exported leaderboard: all but the tests against each control.
COLUMNS = tuple(
    name
    for field in fields(Row)
    if field.name != "controls"
    for name in (MethodKey._fields if field.name == "method" else (field.name,))
)
SORTABLE = tuple(
    name for name in COLUMNS if name not in ("rank", "image_set", "excess_low", "excess_high")
)
SMALLEST_FIRST = (
    "tier", "clusterer", "selector", "graph", "extractor", "across_images", "across_seeds",
    "mean_rank", "p_value", "k_error", "false_alarms", "n_clusters", "seconds",
)  # fmt: skip


# The columns that are means over the ok maps, and over those with an accepted level.
MEANS = (
    "modularity", "control_modularity", "excess", "modularity_full", "ari", "ari_best", "ami",
    "k_error",
)  # fmt: skip
MEANS_OF_ACCEPTED = (
    "jaccard", "jaccard_levels", "jaccard_seeds", "jaccard_perturbed", "n_clusters", "coverage",
)  # fmt: skip


@dataclass(frozen=True)
class MethodPair:
    """Two methods on the same images: see `harness.metrics.inference.Pair`."""

    first: str
    second: str
    wins: float
    p: float | None
    q: float | None


@dataclass(frozen=True)
class Comparison:
    """The methods of one image or map set, best first, and tests; omnibus: p of Friedman's test."""

    image_set: str
    rows: Sequence[Row]
    omnibus: float | None
    pairs: Sequence[MethodPair]


def leaderboard(store: Store, by: str | None = None, progress: Progress = SILENT) -> list[Row]:
    """The rows of a run, by the module's rule or a column; HarnessError if there is no such one."""
    return ranked(comparisons(store, progress), by)


def ranked(compared: Iterable[Comparison], by: str | None = None) -> list[Row]:
    """All rows of comparisons with their ranks; see `leaderboard`."""
    if by is not None and by not in SORTABLE:
        raise HarnessError(f"--by {by}: no such column{hint(by, SORTABLE)}")
    rows = [row for comparison in compared for row in comparison.rows]
    if by is not None:
        rows.sort(key=lambda row: _missing_last(flatten(row)[by], falling=by not in SMALLEST_FIRST))
    return [replace(row, rank=position) for position, row in enumerate(rows, 1)]


def comparisons(store: Store, progress: Progress = SILENT) -> list[Comparison]:
    """The methods of every image set and map set of a run, compared with each other."""
    # A map set has its own maps and no image set.
    found = outcomes(store, progress)
    sets = grouped(found, lambda each: each.method.image_set or each.method.extractor)
    controls = store.controls()
    return [_compared(name, of_set, controls, progress) for name, of_set in sets.items()]


def _compared(
    image_set: str, found: Iterable[Outcome], controls: Sequence[str], progress: Progress
) -> Comparison:
    """One set's methods: tiers first, then mean ranks; incomplete ones by their score."""
    methods = grouped(found, lambda each: each.method)
    standing = standings(_criteria(list(methods.values())))
    rows = [
        replace(row_of(of_method, controls), tier=tier or None, mean_rank=mean_rank)
        for of_method, tier, mean_rank in zip(
            progress.track("estimating means", methods.values()),
            standing.tiers.tolist(),
            standing.mean_ranks.tolist(),
            strict=True,
        )
    ]

    def rule(row: Row) -> tuple[Any, ...]:
        complete, score = -row.ok / row.total, _missing_last(row.score, falling=True)
        return row.tier is None, complete, row.tier, row.mean_rank, score, row.method.clusterer

    names = short_names(list(methods))
    pairs = [
        MethodPair(
            names[one.first], names[one.second], one.wins, *map(none_for_nan, (one.p, one.q))
        )
        for one in standing.pairs
    ]
    return Comparison(image_set, sorted(rows, key=rule), none_for_nan(standing.omnibus), pairs)


def _criteria(methods: Sequence[Sequence[Outcome]]) -> list[Floats]:
    """Excess (or modularity) and stability, each (methods, images), NaN where one has no result."""
    every = [outcome for of_method in methods for outcome in of_method]
    images = list(dict.fromkeys(outcome.image for outcome in every))
    by_image = [grouped(of_method, lambda each: each.image) for of_method in methods]

    def table(score: Callable[[Outcome], float | None]) -> Floats:
        means = [[_image_mean(of.get(image, ()), score) for image in images] for of in by_image]
        return np.array(means, dtype=np.float64)

    has_control = any(outcome.excess is not None for outcome in every)
    criteria = [table(lambda one: one.excess if has_control else one.modularity)]
    if any(outcome.jaccard is not None for outcome in every):
        criteria.append(table(lambda one: one.jaccard or 0.0))
    return criteria


def _image_mean(found: Sequence[Outcome], score: Callable[[Outcome], float | None]) -> float:
    """The mean over an image's heads and repeats; NaN unless all are ok."""
    values = [score(one) if one.ok else None for one in found]
    mean = None if None in values else _mean(values)
    return math.nan if mean is None else mean


def row_of(found: Sequence[Outcome], controls: Sequence[str]) -> Row:
    """The figures of some outcomes of one method, without rank, tier and mean rank."""
    ok = [each for each in found if each.ok]
    accepted = [each for each in ok if each.accepted]
    tests = tuple(_control_test(control, ok) for control in controls)
    scores = _by_repeat(found)
    interval = bootstrap_interval(scores.mean(axis=1)) if scores.size else (math.nan, math.nan)
    low, high, across_images, across_seeds = map(none_for_nan, (*interval, *spread(scores)))
    return Row(
        method=found[0].method,
        excess_low=low,
        excess_high=high,
        across_images=across_images,
        across_seeds=across_seeds,
        accepted=len(accepted),
        ok=len(ok),
        total=len(found),
        seconds=_of_defined(statistics.median, (each.seconds for each in ok)),
        controls=tests,
        **_means(ok, MEANS),
        **_means(accepted, MEANS_OF_ACCEPTED),
        **(_reference_figures(tests[0], ok) if tests else {}),
    )


def _reference_figures(test: ControlTest, ok: Sequence[Outcome]) -> dict[str, Any]:
    figures = {name: getattr(test, name) for name in ("p_value", "z", "significant")}
    unplanted = [each for each in ok if each.n_planted is not None and each.n_planted < 2]
    tests = [each.tests[test.control] for each in unplanted if test.control in each.tests]
    return {**figures, "false_alarms": _mean(float(each.p <= FALSE_ALARM) for each in tests)}


def _means(found: Sequence[Outcome], names: Iterable[str]) -> dict[str, Any]:
    return {name: _mean(getattr(each, name) for each in found) for name in names}


def _by_repeat(found: Iterable[Outcome]) -> Floats:
    """Mean scores (images, repeats) of the images on which all heads and repeats are ok."""
    rows = []
    for of_image in grouped(found, lambda each: each.image).values():
        if all(each.ok and each.score is not None for each in of_image):
            repeats = grouped(of_image, lambda each: each.repeat).values()
            rows.append([_mean(each.score for each in of_repeat) for of_repeat in repeats])
    widest = max(map(len, rows), default=0)
    whole = [row for row in rows if len(row) == widest]
    return np.array(whole, dtype=np.float64).reshape(len(whole), widest)


def _control_test(control: str, ok: Sequence[Outcome]) -> ControlTest:
    tests = [each.tests[control] for each in ok if control in each.tests]
    return ControlTest(
        control,
        _of_defined(statistics.median, (test.p for test in tests)),
        _mean(test.z for test in tests),
        sum(test.q <= FALSE_DISCOVERIES for test in tests),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    return _of_defined(statistics.fmean, values)


def _of_defined(
    statistic: Callable[[list[float]], float], values: Iterable[float | None]
) -> float | None:
    defined = [value for value in values if value is not None]
    return statistic(defined) if defined else None


def _missing_last(value: Any, *, falling: bool) -> tuple[bool, Any]:
    return value is None, -value if falling and value is not None else value
