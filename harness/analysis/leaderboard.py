"""The leaderboard: what each method reached on images, on noise beside them, and how surely.

Every score is a mean over the method's maps. A selection that found nothing counts with 0 in
modularity, control and excess. A map counts as ok if its cell, its selection, all its controls
and its perturbed cells are: figures are over the same maps. Methods are compared on the images
of one set, or the maps of one map set, by the mean of two ranks on each image: by excess
modularity and by Jaccard stability. Complete methods come before incomplete ones.
"""

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from harness.analysis.outcomes import Outcome, outcomes
from harness.errors import HarnessError
from harness.metrics.inference import bootstrap_interval, spread, standings
from harness.plugin.spec import did_you_mean
from harness.plugin.values import Floats
from harness.store import Store, none_for_nan

# Largest false discovery rate at which a selection counts as more than the control.
FALSE_DISCOVERIES = 0.05
# Largest p at which a selection on a map without communities counts as a false alarm.
FALSE_ALARM = 0.05


@dataclass(frozen=True)
class ControlTest:
    """A method beside one control: median p, mean z, and how many maps are significant."""

    control: str
    p_value: float | None
    z: float | None
    significant: int


@dataclass(frozen=True)
class Row:
    """One method's line: a clusterer with a selector on a graph of an extractor's maps.

    excess is modularity less the reference control's at the same level, with a bootstrap
    interval over images (of modularity where there is no control), and its standard deviations
    across images and across repeats. Methods of one tier cannot be told apart; an incomplete
    method has none. jaccard is the smallest of the three stabilities, averaged over maps: across
    the levels of the plateau, across seeds, across perturbations. p_value (the median), z (the
    mean) and significant (maps at a false discovery rate of .05) are beside the reference control,
    which is the first; `controls` has all.
    Where communities were planted ari and ami are beside them, ari_best is what the best level
    would have reached, k_error the mean error in the number of clusters; false_alarms is the
    share of p ≤ .05 where none were planted. n_clusters, coverage and the Jaccards are over
    accepted selections. seconds is the clusterer's own time for a map at all levels (the median,
    since the first call imports its library). None is what was not computed.
    """

    rank: int
    tier: int | None
    clusterer: str
    selector: str
    graph: str
    extractor: str
    images: str
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
    mean_rank: float | None
    p_value: float | None
    z: float | None
    significant: int | None
    ari: float | None
    ari_best: float | None
    ami: float | None
    k_error: float | None
    false_alarms: float | None
    n_clusters: float | None
    coverage: float | None
    accepted: int
    ok: int
    total: int
    seconds: float | None
    controls: tuple[ControlTest, ...]


SORTABLE = tuple(
    field.name
    for field in fields(Row)
    if field.name not in ("rank", "images", "controls", "excess_low", "excess_high")
)
SMALLEST_FIRST = (
    "tier", "clusterer", "selector", "graph", "extractor", "across_images", "across_seeds",
    "mean_rank", "p_value", "k_error", "false_alarms", "n_clusters", "seconds",
)  # fmt: skip


@dataclass(frozen=True)
class Difference:
    """Two methods on the same images: see `harness.metrics.inference.Pair`."""

    first: str
    second: str
    wins: float
    p: float | None
    q: float | None


@dataclass(frozen=True)
class Comparison:
    """The methods of one image set or map set, best first, and what was tested between them.

    omnibus is the p value of Friedman's test over all complete methods.
    """

    images: str
    rows: Sequence[Row]
    omnibus: float | None
    differences: Sequence[Difference]


def leaderboard(store: Store, by: str | None = None) -> list[Row]:
    """The ranked rows of a run, sorted by the module's rule or by a column.

    Raises HarnessError if there is no such column.
    """
    return ranked(comparisons(store), by)


def ranked(compared: Iterable[Comparison], by: str | None = None) -> list[Row]:
    """All rows of comparisons with their ranks; see `leaderboard`."""
    if by is not None and by not in SORTABLE:
        hint = did_you_mean(by, SORTABLE) or f"; there are {', '.join(SORTABLE)}"
        raise HarnessError(f"--by {by}: no such column{hint}")
    rows = [row for comparison in compared for row in comparison.rows]
    if by is not None:
        rows = _sorted(rows, by)
    return [replace(row, rank=position) for position, row in enumerate(rows, 1)]


def comparisons(store: Store) -> list[Comparison]:
    """The methods of every image set and map set of a run, compared with each other."""
    sets: dict[str, dict[tuple[str, ...], list[Outcome]]] = {}
    for outcome in outcomes(store):
        # A map set has its own maps, and no set of images.
        methods = sets.setdefault(outcome.images or outcome.extractor, {})
        methods.setdefault(outcome.method, []).append(outcome)
    controls = store.controls()
    return [_compared(images, methods.values(), controls) for images, methods in sets.items()]


def _compared(
    images: str, methods: Iterable[Sequence[Outcome]], controls: Sequence[str]
) -> Comparison:
    """One set's methods: tiers first, then mean ranks; incomplete ones by their excess."""
    observed = [_Observed.of(outcomes) for outcomes in methods]
    stood = standings(_criteria(observed))
    rows = [
        replace(
            _figures(each, controls),
            tier=tier or None,
            mean_rank=mean_rank,
        )
        for each, tier, mean_rank in zip(
            observed, stood.tiers.tolist(), stood.mean_ranks.tolist(), strict=True
        )
    ]

    def rule(row: Row) -> tuple[Any, ...]:
        complete = -row.ok / row.total
        score = row.modularity if row.excess is None else row.excess
        return row.tier is None, complete, row.tier, row.mean_rank, _falling(score), row.clusterer

    names = _short_names([each.outcomes[0].method for each in observed])
    differences = [
        Difference(
            names[pair.first],
            names[pair.second],
            pair.wins,
            none_for_nan(pair.p),
            none_for_nan(pair.q),
        )
        for pair in stood.pairs
    ]
    return Comparison(images, sorted(rows, key=rule), none_for_nan(stood.omnibus), differences)


def _short_names(methods: Sequence[tuple[str, ...]]) -> list[str]:
    """Methods' clusterers, with what else is not the same for all."""
    varying = [
        index for index, parts in enumerate(zip(*methods, strict=True)) if len(set(parts)) > 1
    ]
    return [" ".join(method[index] for index in sorted({0, *varying})) for method in methods]


def _criteria(observed: Sequence["_Observed"]) -> list[Floats]:
    """What methods are compared by, each (methods, images), NaN where one has no result.

    Excess, or modularity where nothing was drawn to compare with; and stability, where any was
    computed, as 0 where nothing was accepted.
    """
    images = list(dict.fromkeys(image for each in observed for image in each.by_image))

    def table(score: Callable[[Outcome], float | None]) -> Floats:
        return np.array(
            [[each.score(image, score) for image in images] for each in observed],
            dtype=np.float64,
        )

    outcomes = [outcome for each in observed for outcome in each.outcomes]
    controlled = any(outcome.excess is not None for outcome in outcomes)
    criteria = [table(lambda one: one.excess if controlled else one.modularity)]
    if any(outcome.jaccard is not None for outcome in outcomes):
        criteria.append(table(lambda one: one.jaccard or 0.0))
    return criteria


@dataclass(frozen=True)
class _Observed:
    """What one method reached, on every image, head and repeat."""

    outcomes: Sequence[Outcome]
    by_image: Mapping[str, Sequence[Outcome]]

    @classmethod
    def of(cls, outcomes: Sequence[Outcome]) -> "_Observed":
        by_image: dict[str, list[Outcome]] = {}
        for outcome in outcomes:
            by_image.setdefault(outcome.image, []).append(outcome)
        return cls(outcomes, by_image)

    def score(self, image: str, of: Callable[[Outcome], float | None]) -> float:
        """The mean over an image's heads and repeats; NaN unless all are ok."""
        found = [of(one) if one.ok else None for one in self.by_image.get(image, ())]
        defined = [value for value in found if value is not None]
        return statistics.fmean(defined) if defined and len(defined) == len(found) else math.nan

    def by_seed(self) -> Floats:
        """Excess, or else modularity, (images, repeats), of images where all is ok."""
        rows = []
        for image in self.by_image.values():
            seeds: dict[int, list[float]] = {}
            for one in image:
                score = one.modularity if one.excess is None else one.excess
                if one.ok and score is not None:
                    seeds.setdefault(one.repeat, []).append(score)
            if sum(map(len, seeds.values())) == len(image):
                rows.append([statistics.fmean(scores) for scores in seeds.values()])
        widest = max(map(len, rows), default=0)
        whole = [row for row in rows if len(row) == widest]
        return np.array(whole, dtype=np.float64).reshape(len(whole), widest)


def row_of(outcomes: Sequence[Outcome], controls: Sequence[str]) -> Row:
    """The figures of one method's outcomes, all of them or some, without a place among others."""
    return _figures(_Observed.of(outcomes), controls)


def _figures(observed: _Observed, controls: Sequence[str]) -> Row:
    ok = [each for each in observed.outcomes if each.ok]
    accepted = [each for each in ok if each.accepted]
    beside = tuple(_beside(control, ok) for control in controls)
    reference = beside[0] if beside else ControlTest("", None, None, 0)
    planted = [each.truth for each in ok if each.truth is not None]
    by_seed = observed.by_seed()
    across_images, across_seeds = spread(by_seed)
    low, high = bootstrap_interval(by_seed.mean(axis=1)) if by_seed.size else (math.nan, math.nan)
    first = observed.outcomes[0]
    return Row(
        rank=0,
        tier=None,
        clusterer=first.clusterer,
        selector=first.selector,
        graph=first.graph,
        extractor=first.extractor,
        images=first.images,
        modularity=_mean(each.modularity for each in ok),
        control_modularity=_mean(each.control_modularity for each in ok),
        excess=_mean(each.excess for each in ok),
        excess_low=none_for_nan(low),
        excess_high=none_for_nan(high),
        across_images=none_for_nan(across_images),
        across_seeds=none_for_nan(across_seeds),
        modularity_full=_mean(each.modularity_full for each in ok),
        jaccard=_mean(each.jaccard for each in accepted),
        jaccard_levels=_mean(each.jaccard_levels for each in accepted),
        jaccard_seeds=_mean(each.jaccard_seeds for each in accepted),
        jaccard_perturbed=_mean(each.jaccard_perturbed for each in accepted),
        mean_rank=None,
        p_value=reference.p_value,
        z=reference.z,
        significant=reference.significant if beside else None,
        ari=_mean(truth.ari for truth in planted),
        ari_best=_mean(truth.ari_best for truth in planted),
        ami=_mean(truth.ami for truth in planted),
        k_error=_mean(truth.k_error for truth in planted if truth.planted > 1),
        false_alarms=_false_alarms(ok, reference.control),
        n_clusters=_mean(each.n_clusters for each in accepted),
        coverage=_mean(each.coverage for each in accepted),
        accepted=len(accepted),
        ok=len(ok),
        total=len(observed.outcomes),
        seconds=_of_defined(statistics.median, (each.seconds for each in ok)),
        controls=beside,
    )


def _beside(control: str, ok: Sequence[Outcome]) -> ControlTest:
    tests = [each.tests[control] for each in ok if control in each.tests]
    return ControlTest(
        control,
        _of_defined(statistics.median, (test.p for test in tests)),
        _mean(test.z for test in tests),
        sum(test.q <= FALSE_DISCOVERIES for test in tests),
    )


def _false_alarms(ok: Sequence[Outcome], control: str) -> float | None:
    without = [each for each in ok if each.truth is not None and each.truth.planted < 2]
    return _mean(
        float(each.tests[control].p <= FALSE_ALARM) for each in without if control in each.tests
    )


def _sorted(rows: Sequence[Row], by: str) -> list[Row]:
    def column(row: Row) -> tuple[Any, ...]:
        value = getattr(row, by)
        return value is None, value if by in SMALLEST_FIRST or value is None else -value

    return sorted(rows, key=column)


def _mean(values: Iterable[float | None]) -> float | None:
    return _of_defined(statistics.fmean, values)


def _of_defined(
    statistic: Callable[[list[float]], float], values: Iterable[float | None]
) -> float | None:
    defined = [value for value in values if value is not None]
    return statistic(defined) if defined else None


def _falling(value: float | None) -> tuple[bool, float]:
    return value is None, 0.0 if value is None else -value
