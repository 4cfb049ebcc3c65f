"""The leaderboard: what each method reached on images and on noise, and how certain that is.

Every score is a mean over the method's maps. A selection that found nothing counts 0 in modularity,
control and excess; effect is excess corrected for the choice of the level. A map is ok if its
cell, its selection, all its controls and its perturbed cells are; all figures are over the ok maps.
Methods are compared on the images of one set, or the maps of one map set, by the mean of two ranks
on each image: by effect, there with the bias of a single draw, and by stability. Only the images
that every method completed count. Complete methods come before incomplete ones. Figures that differ
by rounding alone are equal.
"""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter, itemgetter
from typing import Any

import numpy as np

from harness.analysis.columns import field_named
from harness.analysis.method import MethodKey, flat_types, flatten, grouped, short_names
from harness.analysis.outcomes import Outcome, outcomes
from harness.analysis.scores import MethodScore, columns_of, method_scores, types_of
from harness.metrics.inference import mean_interval, spread, standings
from harness.metrics.significance import is_significant
from harness.metrics.ties import merge_ties
from harness.planning.progress import SILENT, Progress
from harness.plugin.values import Floats
from harness.store import Store, none_for_nan
from harness.store.records import ScoreRecord
from harness.store.scores import known_scores


@dataclass(frozen=True)
class ControlTest:
    """A method against one control: median p, mean z, and how many maps are significant.

    false_alarms: the fraction of maps without planted communities that have p ≤ .05; None if no map
    is known to have none.
    """

    control: str
    p_value: float | None
    z: float | None
    significant: int
    false_alarms: float | None


@dataclass(frozen=True, kw_only=True)
class Row:
    """The figures of one method; None is what was not computed.

    excess is modularity minus the reference control's at the same level; effect is excess minus
    that of the control's draws, each treated as if it had been observed, with a 95 % interval over
    images (of modularity if there is no control), and its standard deviations across images and
    across repeats. Equal methods share a rank. Methods of one tier cannot be told apart; a method
    that completed no image has none. jaccard is the smallest of the three stabilities,
    averaged over maps: across the levels of the plateau, across seeds, across perturbations.
    p_value (the median), z (the mean), significant (maps at a false discovery rate of .05) and
    false_alarms compare with the reference control, which is the first; `controls` has all.
    Where communities were planted, ari and ami compare with them, ari_best is what the best level
    would have reached and k_error the mean error in the number of clusters. n_clusters, coverage
    and the Jaccards are over accepted selections. seconds is the clusterer's own time for a map at
    all levels (the median, since the first call imports its library). scores are those that
    `harness score` computed.
    """

    rank: int = 0
    tier: int | None = None
    method: MethodKey
    modularity: float | None
    control_modularity: float | None
    excess: float | None
    effect: float | None
    effect_low: float | None
    effect_high: float | None
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
    scores: tuple[MethodScore, ...]

    @property
    def score(self) -> float | None:
        """The effect, or modularity if there is no control."""
        return self.modularity if self.effect is None else self.effect

    @property
    def accepted_fraction(self) -> float | None:
        """The fraction of the ok maps on which a level was accepted."""
        return self.accepted / self.ok if self.ok else None

    @property
    def significant_fraction(self) -> float | None:
        """The fraction of the ok maps with more structure than the control; None without one."""
        return None if self.significant is None or not self.ok else self.significant / self.ok


# The columns of every exported leaderboard: all but the tests against each control, and scores.
TYPES = flat_types(Row)
COLUMNS = tuple(TYPES)
SORTABLE = tuple(name for name in COLUMNS if name != "rank")
SMALLEST_FIRST = (
    "tier", "clusterer", "selector", "graph", "extractor", "image_set", "across_images",
    "across_seeds", "mean_rank", "p_value", "k_error", "false_alarms", "n_clusters", "seconds",
)  # fmt: skip


# The columns that are means over the ok maps, and over those with an accepted level.
MEANS = (
    "modularity", "control_modularity", "excess", "effect", "modularity_full", "ari", "ari_best",
    "ami", "k_error",
)  # fmt: skip
MEANS_OF_ACCEPTED = (
    "jaccard", "jaccard_levels", "jaccard_seeds", "jaccard_perturbed", "n_clusters", "coverage",
)  # fmt: skip
IMAGE, REPEAT, METHOD = map(attrgetter, ("image", "repeat", "method"))
RowMaker = Callable[[Sequence[Outcome]], Row]
# The figures of the test against the reference control that are the method's own.
OF_REFERENCE = ("p_value", "z", "significant", "false_alarms")


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
    """The methods of one image or map set, best first, and tests; omnibus: p of Friedman's test.

    images: how many the set has; ranked: how many of them every method completed that completed
    any, which the ranks are over.
    """

    image_set: str
    rows: Sequence[Row]
    images: int
    ranked: int
    omnibus: float | None
    pairs: Sequence[MethodPair]


def ranked(compared: Iterable[Comparison], by: str | None = None) -> list[Row]:
    """All rows of comparisons, by the module's rule or by a column, by its name or its heading.

    Raises HarnessError if there is no such column.
    """
    rows: list[Row] = []
    for comparison in compared:
        rows += [replace(row, rank=len(rows) + row.rank) for row in comparison.rows]
    if by is None:
        return rows
    scores = {each.score: each for row in rows for each in row.scores}
    field = field_named(by, (*SORTABLE, *scores), f"there is no column {by!r} to sort by")
    values = tied([flattened(row)[field] for row in rows])
    falling = scores[field].higher_is_better if field in scores else field not in SMALLEST_FIRST
    return _in_order(rows, [_missing_last(each, falling=falling) for each in values])


def flattened(row: Row) -> dict[str, Any]:
    """A row as values by column, scores among them; `controls` is a list of dictionaries."""
    flat = flatten(row)
    del flat["scores"]
    return {**flat, **columns_of(row.scores)}


def column_types(rows: Iterable[Row]) -> dict[str, Any]:
    """The type of each column of some rows, by its name."""
    return {**TYPES, **types_of(dict.fromkeys(each.score for row in rows for each in row.scores))}


def _in_order(rows: Sequence[Row], keys: Sequence[tuple[Any, ...]]) -> list[Row]:
    """Rows by their keys, with ranks, which rows of equal keys share."""
    ordered = sorted(zip(keys, rows, strict=True), key=itemgetter(0))
    positions: dict[tuple[Any, ...], int] = {}
    return [
        replace(row, rank=positions.setdefault(key, position))
        for position, (key, row) in enumerate(ordered, 1)
    ]


def tied(values: Sequence[Any]) -> list[Any]:
    """Values in which numbers that tie are equal."""
    numbers = [value for value in values if isinstance(value, int | float)]
    merged = dict(zip(numbers, merge_ties(numbers).tolist(), strict=True))
    return [merged.get(value, value) for value in values]


def comparisons(store: Store, progress: Progress = SILENT) -> list[Comparison]:
    """The methods of every image set and map set of a run, compared with each other."""
    return comparisons_of(store, outcomes(store, progress), progress)


def comparisons_of(
    store: Store, found: Iterable[Outcome], progress: Progress = SILENT
) -> list[Comparison]:
    """As `comparisons`, given all outcomes of the run."""
    # A map set has its own maps and no image set.
    sets = grouped(found, lambda each: each.method.image_set or each.method.extractor)
    make_row = row_maker(store)
    return [_compared(name, of_set, make_row, progress) for name, of_set in sets.items()]


def _compared(
    image_set: str, found: Iterable[Outcome], make_row: RowMaker, progress: Progress
) -> Comparison:
    """One set's methods: tiers first, then mean ranks; incomplete ones by their score."""
    methods = grouped(found, METHOD)
    criteria = _criteria(list(methods.values()))
    standing = standings(criteria)
    rows = [
        replace(make_row(of_method), tier=tier or None, mean_rank=none_for_nan(mean_rank))
        for of_method, tier, mean_rank in zip(
            progress.track("estimating means", methods.values()),
            standing.tiers.tolist(),
            standing.mean_ranks.tolist(),
            strict=True,
        )
    ]
    rows.sort(key=lambda row: row.method.clusterer)
    scores = [_missing_last(score, falling=True) for score in tied([row.score for row in rows])]
    keys = [
        (row.tier is None, -row.ok / row.total, row.tier or 0, row.mean_rank or 0.0, score)
        for row, score in zip(rows, scores, strict=True)
    ]
    names = short_names(list(methods))
    pairs = [
        MethodPair(
            names[one.first], names[one.second], one.wins, *map(none_for_nan, (one.p, one.q))
        )
        for one in standing.pairs
    ]
    return Comparison(
        image_set,
        _in_order(rows, keys),
        criteria[0].shape[1],
        standing.images,
        none_for_nan(standing.omnibus),
        pairs,
    )


def _criteria(methods: Sequence[Sequence[Outcome]]) -> list[Floats]:
    """Effect (or modularity) and stability, each (methods, images), NaN where one has no result."""
    every = [outcome for of_method in methods for outcome in of_method]
    images = list(dict.fromkeys(outcome.image for outcome in every))
    by_image = [grouped(of_method, IMAGE) for of_method in methods]

    def table(score: Callable[[Outcome], float | None]) -> Floats:
        means = [[_image_mean(of.get(image, ()), score) for image in images] for of in by_image]
        return np.array(means, dtype=np.float64)

    has_effect = any(outcome.single_effect is not None for outcome in every)
    criteria = [table(lambda one: one.single_effect if has_effect else one.modularity)]
    if any(outcome.jaccard is not None for outcome in every):
        criteria.append(table(lambda one: one.jaccard or 0.0))
    return criteria


def _image_mean(found: Sequence[Outcome], score: Callable[[Outcome], float | None]) -> float:
    """The mean over an image's heads and repeats; NaN unless all are ok."""
    values = [score(one) if one.ok else None for one in found]
    mean = None if None in values else _mean(values)
    return math.nan if mean is None else mean


def row_maker(store: Store) -> RowMaker:
    """What makes the row of some outcomes of one method, without rank, tier and mean rank."""
    return partial(_row, controls=store.controls(), declared=known_scores(store))


def _row(
    found: Sequence[Outcome], *, controls: Sequence[str], declared: Sequence[ScoreRecord]
) -> Row:
    ok = [each for each in found if each.ok]
    accepted = [each for each in ok if each.accepted]
    tests = tuple(_control_test(control, ok) for control in controls)
    scores = _by_repeat(found)
    interval = mean_interval(scores.mean(axis=1)) if scores.size else (math.nan, math.nan)
    low, high, across_images, across_seeds = map(none_for_nan, (*interval, *spread(scores)))
    return Row(
        method=found[0].method,
        effect_low=low,
        effect_high=high,
        across_images=across_images,
        across_seeds=across_seeds,
        accepted=len(accepted),
        ok=len(ok),
        total=len(found),
        seconds=_of_defined(statistics.median, [each.seconds for each in ok]),
        controls=tests,
        scores=tuple(method_scores([each.scores for each in accepted], declared)),
        **_means(ok, MEANS),
        **_means(accepted, MEANS_OF_ACCEPTED),
        **({name: getattr(tests[0], name) for name in OF_REFERENCE} if tests else {}),
    )


def _means(found: Sequence[Outcome], names: Iterable[str]) -> dict[str, Any]:
    return {name: _mean(map(attrgetter(name), found)) for name in names}


def _by_repeat(found: Iterable[Outcome]) -> Floats:
    """Mean scores (images, repeats) of the images on which all heads and repeats are ok."""
    rows = []
    for of_image in grouped(found, IMAGE).values():
        if all(each.ok and each.score is not None for each in of_image):
            repeats = grouped(of_image, REPEAT).values()
            rows.append([_mean(each.score for each in of_repeat) for of_repeat in repeats])
    widest = max(map(len, rows), default=0)
    whole = [row for row in rows if len(row) == widest]
    return np.array(whole, dtype=np.float64).reshape(len(whole), widest)


def _control_test(control: str, ok: Sequence[Outcome]) -> ControlTest:
    tested = [each for each in ok if control in each.tests]
    tests = [each.tests[control] for each in tested]
    unplanted = [each for each in tested if each.n_planted is not None and each.n_planted < 2]
    alarms = is_significant([each.tests[control].p for each in unplanted])
    return ControlTest(
        control,
        _of_defined(statistics.median, (test.p for test in tests)),
        _mean(test.z for test in tests),
        int(is_significant([test.q for test in tests]).sum()),
        _mean(alarms.tolist()),
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
