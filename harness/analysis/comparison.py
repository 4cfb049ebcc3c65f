"""Two runs compared cell by cell: what each method reached on the same maps in both.

Two observations are a pair if they have the same image (by its pixels, else by its name),
extractor, layer, head, graph, clusterer, selector and repeat. If each run has a single extractor,
graph, selector or image set, these are paired even if their specs differ, and are reported as
renamed. Clusterers are never renamed. Observations without a partner are counted.
"""

import math
import statistics
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np

from harness.analysis.method import MethodKey, grouped
from harness.analysis.outcomes import Outcome, outcomes
from harness.metrics.inference import mean_interval, signed_rank_p
from harness.metrics.ties import difference
from harness.planning.progress import SILENT, Progress
from harness.plugin.values import Floats
from harness.store import Store, none_for_nan
from harness.store.scores import known_scores

# The fields of a method whose specs may differ if each run has a single one.
RENAMABLE = ("extractor", "graph", "selector", "image_set")

Pair = tuple[Outcome, Outcome]


# The metrics by name: 1 if larger is better, −1 if smaller is, 0 if neither. On noise it is better
# to accept nothing.
METRICS = {
    "modularity": 1,
    "control_modularity": 0,
    "excess": 1,
    "effect": 1,
    "jaccard": 1,
    "ari": 1,
    "accepted": 0,
    "n_clusters": 0,
    "seconds": -1,
}
# Metrics whose signs and ranks are those of another value: see `harness.metrics.selection_bias`.
SIGNS = {"effect": "single_effect"}


@dataclass(frozen=True)
class PairedMetric:
    """One metric of one method over the pairs that are ok in both runs.

    pairs: those that have it in both runs; lost and gained: in the first only, in the second only.
    first and second are means over the pairs, medians for seconds, as in the leaderboard.
    difference is second − first, 0 if they tie, with a 95 % interval over images (none for
    seconds); p is of the two-sided Wilcoxon signed-rank test of the images' mean differences. wins,
    losses and ties count the images on which the second run is better, worse or the same; wins and
    losses are None if neither direction is better. Of effect, p and these counts are with the bias
    of a single draw, as ranks are. Figures that cannot be computed are None.
    """

    metric: str
    pairs: int
    lost: int
    gained: int
    images: int
    first: float | None
    second: float | None
    difference: float | None
    low: float | None
    high: float | None
    p: float | None
    wins: int | None
    ties: int
    losses: int | None


@dataclass(frozen=True)
class PairedMethod:
    """One method in two runs.

    Of the paired observations, ok are ok in both runs, newly_failed in the first only, fixed in the
    second only, failed in neither; changed are those that differ in being ok or, by more than
    rounding, in any metric but seconds. only_first and only_second have no partner.
    """

    method: MethodKey
    paired: int
    ok: int
    newly_failed: int
    fixed: int
    failed: int
    changed: int
    only_first: int
    only_second: int
    metrics: tuple[PairedMetric, ...]


@dataclass(frozen=True)
class Change:
    """Something that differs between the runs; "" if a run does not have it."""

    name: str
    first: str
    second: str


@dataclass(frozen=True)
class PairedRuns:
    """Two runs and how they differ.

    relabelled: pairs that are ok in both runs and whose labels differ at some level, or, if
    selected_only, at the selected one: a published run may have no others; by_name: images paired
    by name although their pixels differ; renamed: what was paired although its spec
    differs; settings and environment: what else differs. directions: the metrics by name, those of
    METRICS and the scores that both runs have: 1 if larger is better, −1 if smaller is, 0 if
    neither.
    """

    first: str
    second: str
    methods: tuple[PairedMethod, ...]
    relabelled: int
    by_name: int
    renamed: tuple[Change, ...]
    settings: tuple[Change, ...]
    environment: tuple[Change, ...]
    directions: Mapping[str, int]
    selected_only: bool = False

    @property
    def paired(self) -> int:
        """How many observations have a partner."""
        return sum(method.paired for method in self.methods)

    @property
    def identical(self) -> bool:
        """Whether all is paired, with the same labels and metrics, apart from seconds."""
        alike = all(
            not (method.changed or method.only_first or method.only_second)
            for method in self.methods
        )
        return bool(self.paired) and alike and not self.relabelled


def pair_runs(first: Store, second: Store, progress: Progress = SILENT) -> PairedRuns:
    """Pair all observations of two runs, and compare every method's metrics."""
    ours, theirs = (outcomes(each, progress) for each in (first, second))
    renamed = _renamed(ours, theirs)
    names = {change.name: change.first for change in renamed}
    if names:
        theirs = [each._replace(method=each.method._replace(**names)) for each in theirs]
    image_sets = {change.second: change.first for change in renamed if change.name == "image_set"}
    digests = _digests(first, {}), _digests(second, image_sets)
    by_pixels, ours, theirs = _paired(ours, theirs, *digests)
    by_name, ours, theirs = _paired(ours, theirs, {}, {})
    pairs = by_pixels + by_name
    relabelled, selected_only = _relabelled(first, second, pairs, progress)
    scores = [{each.score: each for each in known_scores(store)} for store in (first, second)]
    shared = [each for name, each in scores[0].items() if name in scores[1]]
    directions = METRICS | {each.score: 1 if each.higher_is_better else -1 for each in shared}
    return PairedRuns(
        str(first.folder),
        str(second.folder),
        tuple(_methods(pairs, ours, theirs, directions, progress)),
        relabelled,
        len({_image(one) for one, _ in by_name}),
        renamed,
        _changes(_flat_texts(first.settings()), _flat_texts(second.settings())),
        _changes(*map(_environment, (first, second))),
        directions,
        selected_only,
    )


def _renamed(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> tuple[Change, ...]:
    """What each run has a single one of, by different specs."""
    found = []
    for name in RENAMABLE:
        one, other = ({getattr(each.method, name) for each in run} for run in (ours, theirs))
        if len(one) == len(other) == 1 and one != other:
            found.append(Change(name, one.pop(), other.pop()))
    return tuple(found)


def _image(outcome: Outcome) -> tuple[str, str]:
    return outcome.method.image_set, outcome.image


def _digests(store: Store, renamed: Mapping[str, str]) -> Mapping[Hashable, str]:
    """The digests of a run's images by `_image`, where some image sets have another name."""
    rows = store.connection.execute("SELECT image_set, image, digest FROM images")
    return {(renamed.get(image_set, image_set), image): digest for image_set, image, digest in rows}


def _paired(
    ours: Iterable[Outcome],
    theirs: Iterable[Outcome],
    our_digests: Mapping[Hashable, str],
    their_digests: Mapping[Hashable, str],
) -> tuple[list[Pair], list[Outcome], list[Outcome]]:
    """The pairs in the order of the first run, and what has no partner in the first and second."""
    first, second = _keyed(ours, our_digests), _keyed(theirs, their_digests)
    return (
        [(one, second[key]) for key, one in first.items() if key in second],
        [one for key, one in first.items() if key not in second],
        [other for key, other in second.items() if key not in first],
    )


def _keyed(found: Iterable[Outcome], digests: Mapping[Hashable, str]) -> dict[Hashable, Outcome]:
    """Outcomes by what pairs have in common; those with the same key are numbered."""
    copies: Counter[Hashable] = Counter()
    keyed: dict[Hashable, Outcome] = {}
    for one in found:
        image = digests.get(_image(one)) or _image(one)
        key = image, one.method._replace(image_set=""), one.layer, one.head, one.repeat
        keyed[key, copies[key]] = one
        copies[key] += 1
    return keyed


def _methods(
    pairs: Sequence[Pair],
    ours_alone: Iterable[Outcome],
    theirs_alone: Iterable[Outcome],
    directions: Mapping[str, int],
    progress: Progress,
) -> Iterator[PairedMethod]:
    by_method = grouped(pairs, lambda pair: pair[0].method)
    only_first = Counter(each.method for each in ours_alone)
    only_second = Counter(each.method for each in theirs_alone)
    methods = dict.fromkeys([*by_method, *only_first, *only_second])
    for method in progress.track("comparing methods", methods):
        of_method = by_method.get(method, [])
        states = Counter((one.ok, other.ok) for one, other in of_method)
        ok = [(one, other) for one, other in of_method if one.ok and other.ok]
        yield PairedMethod(
            method,
            paired=len(of_method),
            ok=len(ok),
            newly_failed=states[True, False],
            fixed=states[False, True],
            failed=states[False, False],
            changed=sum(_has_changed(one, other, directions) for one, other in of_method),
            only_first=only_first[method],
            only_second=only_second[method],
            metrics=tuple(_paired_metric(name, better, ok) for name, better in directions.items()),
        )


def _has_changed(one: Outcome, other: Outcome, metrics: Iterable[str]) -> bool:
    if not (one.ok and other.ok):
        return one.ok != other.ok
    values = [(_value(name, one), _value(name, other)) for name in metrics if name != "seconds"]
    return any(
        # Most are equal to the last digit; and None has no difference.
        first != second and (first is None or second is None or difference(first, second) != 0)
        for first, second in values
    )


def _value(name: str, outcome: Outcome) -> float | None:
    if name == "n_clusters" and not outcome.accepted:
        return None
    if name not in Outcome._fields:
        scored = outcome.scores.get(name) if outcome.accepted else None
        return None if scored is None else scored.figure
    value: float | None = getattr(outcome, name)
    return value


def _image_differences(name: str, pairs: Iterable[Pair]) -> Floats:
    """Second minus first, (images,): of each image's mean over the pairs that have the metric."""
    both = [
        (_image(one), first, second)
        for one, other in pairs
        if (first := _value(name, one)) is not None and (second := _value(name, other)) is not None
    ]
    by_image = grouped(both, lambda value: value[0]).values()
    firsts = [statistics.fmean(first for _, first, _ in of_image) for of_image in by_image]
    seconds = [statistics.fmean(second for *_, second in of_image) for of_image in by_image]
    return difference(seconds, firsts)


def _paired_metric(name: str, direction: int, pairs: Sequence[Pair]) -> PairedMetric:
    values = [(_image(one), _value(name, one), _value(name, other)) for one, other in pairs]
    both = [
        (image, first, second)
        for image, first, second in values
        if first is not None and second is not None
    ]
    differences = _image_differences(name, pairs)
    signed = _image_differences(SIGNS.get(name, name), pairs)
    # A mean of seconds would not be robust: every process's first call imports the library.
    centre = statistics.median if name == "seconds" else statistics.fmean
    first = centre(first for _, first, _ in both) if both else None
    second = centre(second for _, _, second in both) if both else None
    low, high = (math.nan, math.nan) if name == "seconds" else mean_interval(differences)
    better = np.sign(signed) * direction
    return PairedMetric(
        metric=name,
        pairs=len(both),
        lost=sum(first is not None and second is None for _, first, second in values),
        gained=sum(first is None and second is not None for _, first, second in values),
        images=len(differences),
        first=first,
        second=second,
        difference=(None if first is None or second is None else float(difference(second, first))),
        low=none_for_nan(low),
        high=none_for_nan(high),
        p=none_for_nan(signed_rank_p(signed)),
        wins=int(np.count_nonzero(better > 0)) if direction else None,
        ties=int(np.count_nonzero(signed == 0)),
        losses=int(np.count_nonzero(better < 0)) if direction else None,
    )


def _relabelled(
    first: Store, second: Store, pairs: Iterable[Pair], progress: Progress
) -> tuple[int, bool]:
    """`relabelled` and `selected_only` of the runs."""
    ok = [(one, other) for one, other in pairs if one.ok and other.ok]
    # Selectors share cells.
    differs = cache(partial(_all_labels_differ, first, second))
    count, selected_only = 0, False
    for one, other in progress.track("comparing labels", ok):
        if first.is_whole(one.cell) and second.is_whole(other.cell):
            count += differs(one.cell, other.cell)
        else:
            selected_only = True
            count += _selected_labels_differ(first, second, one, other)
    return count, selected_only


def _all_labels_differ(first: Store, second: Store, one: str, other: str) -> bool:
    # Equal bytes are equal labels; others may be compressed by another version of zlib.
    return first.stored_labels(one) != second.stored_labels(other) and not np.array_equal(
        first.labels(one), second.labels(other)
    )


def _selected_labels_differ(first: Store, second: Store, one: Outcome, other: Outcome) -> bool:
    if one.candidate is None or other.candidate is None:
        return one.candidate is not other.candidate
    return not np.array_equal(
        first.labels_at(one.cell, one.candidate), second.labels_at(other.cell, other.candidate)
    )


def _changes(ours: Mapping[str, str], theirs: Mapping[str, str]) -> tuple[Change, ...]:
    names = sorted(ours.keys() | theirs.keys())
    found = [Change(name, ours.get(name, ""), theirs.get(name, "")) for name in names]
    return tuple(change for change in found if change.first != change.second)


def _environment(store: Store) -> Mapping[str, str]:
    """Versions, machine, source, weights and scores by name; all values of several sessions."""
    found: dict[str, dict[str, None]] = {
        f"score {each.score}": {f"version {each.version}, code {each.code[:8]}": None}
        for each in known_scores(store)
    }
    for session in store.sessions():
        values = {
            **session.get("environment", {}),
            # What one of them lacked has no version there.
            "absent": {},
            "platform": session.get("invocation", {}).get("platform", ""),
            "source": session.get("source", {}),
            "weights": session.get("fingerprints", {}),
        }
        for name, text in _flat_texts(values).items():
            found.setdefault(name, {})[text] = None
    return {name: " and ".join(texts) for name, texts in found.items()}


def _flat_texts(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= _flat_texts(value, f"{prefix}{name} ")
        else:
            listed = value if isinstance(value, list) else [value]
            found[f"{prefix}{name}"] = ", ".join(map(str, listed))
    return found
