"""Two runs cell by cell: what each method reached on the same maps in one and in the other.

Two observations are a pair if they are of the same image (by its pixels, else by its name),
extractor, layer, head, graph, clusterer, selector and repeat. Where each run has one extractor,
graph, selector or image set only, they are paired however they are spelled: what is spelled
otherwise is what the runs differ in, and is told. Clusterers are never exchanged. What has no
partner is counted.
"""

import math
import statistics
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.analysis.outcomes import Outcome, outcomes
from harness.metrics.inference import bootstrap_interval, signed_rank_p
from harness.store import Store, none_for_nan

# Smaller differences are of rounding.
ROUNDING = 1e-12
# What may be spelled otherwise where each run has one only.
EXCHANGEABLE = ("extractor", "graph", "selector", "images")


@dataclass(frozen=True)
class Metric:
    """A figure of an outcome; better is 1 where larger is, −1 where smaller is, 0 where neither."""

    name: str
    better: int
    of: Callable[[Outcome], float | None]
    centre: Callable[[Iterable[float]], float] = statistics.fmean


FIGURES = (
    Metric("modularity", 1, lambda one: one.modularity),
    Metric("control_modularity", 0, lambda one: one.control_modularity),
    Metric("excess", 1, lambda one: one.excess),
    Metric("jaccard", 1, lambda one: one.jaccard),
    Metric("ari", 1, lambda one: None if one.truth is None else one.truth.ari),
    # On noise it is better to accept nothing.
    Metric("accepted", 0, lambda one: float(one.accepted)),
    Metric("n_clusters", 0, lambda one: one.n_clusters if one.accepted else None),
    # The first call in every process imports the library: no mean would stand for the others.
    Metric("seconds", -1, lambda one: one.seconds, statistics.median),
)
BY_NAME = {figure.name: figure for figure in FIGURES}


@dataclass(frozen=True)
class PairedMetric:
    """One figure of one method over the pairs that are ok in both runs.

    pairs: those that have it in both runs; lost and gained: in the first only, in the second only.
    first and second are means over the pairs, for seconds medians, as in the leaderboard.
    difference is second − first, with a bootstrap interval over images (none for seconds); p is
    the two-sided Wilcoxon signed-rank test's of the images' mean differences; of those wins are
    better in the second run, losses worse, ties the same, None where neither is better. None is
    what cannot be computed.
    """

    figure: str
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

    Of the paired observations ok are well in both runs, broken in the first only, mended in the
    second only, failed in neither; changed are those whose figures, seconds apart, or whose being
    well is not exactly the same. only_first and only_second have no partner.
    """

    clusterer: str
    selector: str
    graph: str
    extractor: str
    images: str
    paired: int
    ok: int
    broken: int
    mended: int
    failed: int
    changed: int
    only_first: int
    only_second: int
    figures: tuple[PairedMetric, ...]


@dataclass(frozen=True)
class Change:
    """Something that is one thing in the first run and another in the second; "" is nothing."""

    name: str
    first: str
    second: str


@dataclass(frozen=True)
class PairedRuns:
    """Two runs in comparison.

    relabelled: pairs that are ok in both and whose labels differ at some level; by_name: images
    paired by name although their pixels differ; exchanged: what was paired although it is spelled
    otherwise; settings and environment: what else differs.
    """

    first: str
    second: str
    methods: tuple[PairedMethod, ...]
    relabelled: int
    by_name: int
    renamed: tuple[Change, ...]
    settings: tuple[Change, ...]
    environment: tuple[Change, ...]

    @property
    def paired(self) -> int:
        """How many observations have a partner."""
        return sum(method.paired for method in self.methods)

    @property
    def identical(self) -> bool:
        """Whether all is paired, with exactly the same figures and labels, seconds apart."""
        alike = all(
            not (method.changed or method.only_first or method.only_second)
            for method in self.methods
        )
        return bool(self.paired) and alike and not self.relabelled


def pair_runs(first: Store, second: Store) -> PairedRuns:
    """Pair all observations of two runs, and compare every method's figures."""
    ours, theirs = list(outcomes(first)), list(outcomes(second))
    renamed = _exchanged(ours, theirs)
    names = {(change.name, change.second): change.first for change in renamed}
    pairs, alone_first, alone_second, by_name = _paired(
        _Observations(ours, _pixels(first), {}), _Observations(theirs, _pixels(second), names)
    )
    methods = _by_method(pairs, alone_first, alone_second, names)
    return PairedRuns(
        str(first.folder),
        str(second.folder),
        tuple(_method(name, *grouped) for name, grouped in methods.items()),
        _relabelled(first, second, pairs),
        by_name,
        renamed,
        _changes(_plain(first.settings()), _plain(second.settings())),
        _changes(_circumstances(first), _circumstances(second)),
    )


Pair = tuple[Outcome, Outcome]
Method = tuple[str, ...]


def _exchanged(ours: Sequence[Outcome], theirs: Sequence[Outcome]) -> tuple[Change, ...]:
    """What each run has one of only, spelled otherwise."""
    found = []
    for name in EXCHANGEABLE:
        one, other = ({getattr(outcome, name) for outcome in run} for run in (ours, theirs))
        if len(one) == len(other) == 1 and one != other:
            found.append(Change(name, one.pop(), other.pop()))
    return tuple(found)


@dataclass(frozen=True)
class _Observations:
    """A run's outcomes, the digests of its images, and what its components are called."""

    outcomes: Sequence[Outcome]
    pixels: Mapping[tuple[str, str], str]
    names: Mapping[tuple[str, str], str]

    def called(self, outcome: Outcome, name: str) -> str:
        text = getattr(outcome, name)
        return self.names.get((name, text), text)

    def keyed(self, outcomes: Iterable[Outcome], *, by_pixels: bool) -> dict[Hashable, Outcome]:
        """Outcomes by what makes pairs; of those that are alike the first, the second, …"""
        copies: Counter[Hashable] = Counter()
        found: dict[Hashable, Outcome] = {}
        for outcome in outcomes:
            images = self.called(outcome, "images")
            digest = self.pixels.get((outcome.images, outcome.image))
            key = (
                digest if digest and by_pixels else (images, outcome.image),
                *(self.called(outcome, name) for name in ("extractor", "graph", "selector")),
                outcome.layer, outcome.head, outcome.clusterer, outcome.repeat,
            )  # fmt: skip
            found[key, copies[key]] = outcome
            copies[key] += 1
        return found


def _pixels(store: Store) -> Mapping[tuple[str, str], str]:
    """By image set and image the digest of the image."""
    rows = store.connection.execute("SELECT image_set, image, digest FROM images")
    return {(image_set, image): digest for image_set, image, digest in rows}


def _paired(
    first: _Observations, second: _Observations
) -> tuple[list[Pair], list[Outcome], list[Outcome], int]:
    """The pairs in the order of the first, what is in one only, and the images paired by name."""
    ours = first.keyed(first.outcomes, by_pixels=True)
    theirs = second.keyed(second.outcomes, by_pixels=True)
    pairs = [(one, theirs[key]) for key, one in ours.items() if key in theirs]
    ours_left = first.keyed(
        (one for key, one in ours.items() if key not in theirs), by_pixels=False
    )
    theirs_left = second.keyed(
        (one for key, one in theirs.items() if key not in ours), by_pixels=False
    )
    named = [(one, theirs_left[key]) for key, one in ours_left.items() if key in theirs_left]
    return (
        pairs + named,
        [one for key, one in ours_left.items() if key not in theirs_left],
        [one for key, one in theirs_left.items() if key not in ours_left],
        len({(one.images, one.image) for one, _ in named}),
    )


def _by_method(
    pairs: Iterable[Pair],
    alone_first: Iterable[Outcome],
    alone_second: Iterable[Outcome],
    names: Mapping[tuple[str, str], str],
) -> dict[Method, tuple[list[Pair], list[Outcome], list[Outcome]]]:
    """What is paired and what is alone, by the first run's names of methods."""
    found: dict[Method, tuple[list[Pair], list[Outcome], list[Outcome]]] = {}

    def of(method: Method) -> tuple[list[Pair], list[Outcome], list[Outcome]]:
        return found.setdefault(method, ([], [], []))

    for pair in pairs:
        of(pair[0].method)[0].append(pair)
    for outcome in alone_first:
        of(outcome.method)[1].append(outcome)
    second = _Observations((), {}, names)
    for outcome in alone_second:
        called = (second.called(outcome, name) for name in METHOD[1:])
        of((outcome.clusterer, *called))[2].append(outcome)
    return found


# The parts of `Outcome.method`.
METHOD = ("clusterer", "selector", "graph", "extractor", "images")


def _method(
    method: Method,
    pairs: Sequence[Pair],
    alone_first: Sequence[Outcome],
    alone_second: Sequence[Outcome],
) -> PairedMethod:
    states = Counter((one.ok, other.ok) for one, other in pairs)
    well = [pair for pair in pairs if pair[0].ok and pair[1].ok]
    clusterer, selector, graph, extractor, images = method
    return PairedMethod(
        clusterer,
        selector,
        graph,
        extractor,
        images,
        paired=len(pairs),
        ok=len(well),
        broken=states[True, False],
        mended=states[False, True],
        failed=states[False, False],
        changed=sum(_all_figures(one) != _all_figures(other) for one, other in pairs),
        only_first=len(alone_first),
        only_second=len(alone_second),
        figures=tuple(_figure(figure, well) for figure in FIGURES),
    )


def _all_figures(outcome: Outcome) -> Sequence[float | None]:
    """What is the same where nothing changed."""
    if not outcome.ok:
        return ()
    return [figure.of(outcome) for figure in FIGURES if figure.name != "seconds"]


def _figure(figure: Metric, pairs: Sequence[Pair]) -> PairedMetric:
    lost = gained = 0
    firsts, seconds = [], []
    by_image: dict[tuple[str, str], list[float]] = {}
    for one, other in pairs:
        first, second = figure.of(one), figure.of(other)
        if first is not None and second is not None:
            firsts.append(first)
            seconds.append(second)
            by_image.setdefault((one.images, one.image), []).append(second - first)
        else:
            lost += first is not None
            gained += second is not None
    differences = np.array([statistics.fmean(each) for each in by_image.values()])
    differences[np.abs(differences) <= ROUNDING] = 0.0
    first, second = (figure.centre(each) if each else None for each in (firsts, seconds))
    means = figure.centre is statistics.fmean
    low, high = bootstrap_interval(differences) if means else (math.nan, math.nan)
    better = np.sign(differences) * figure.better
    return PairedMetric(
        figure=figure.name,
        pairs=len(firsts),
        lost=lost,
        gained=gained,
        images=len(by_image),
        first=first,
        second=second,
        difference=None if first is None or second is None else second - first,
        low=none_for_nan(low),
        high=none_for_nan(high),
        p=none_for_nan(signed_rank_p(differences)),
        wins=int(np.count_nonzero(better > 0)) if figure.better else None,
        ties=int(np.count_nonzero(differences == 0)),
        losses=int(np.count_nonzero(better < 0)) if figure.better else None,
    )


def _relabelled(first: Store, second: Store, pairs: Iterable[Pair]) -> int:
    """How many pairs that are ok have other labels."""
    same: dict[tuple[str, str], bool] = {}
    count = 0
    for one, other in pairs:
        if one.ok and other.ok:
            cells = one.cell, other.cell
            if cells not in same:
                same[cells] = np.array_equal(first.labels(one.cell), second.labels(other.cell))
            count += not same[cells]
    return count


def _changes(ours: Mapping[str, str], theirs: Mapping[str, str]) -> tuple[Change, ...]:
    names = sorted(ours.keys() | theirs.keys())
    found = [Change(name, ours.get(name, ""), theirs.get(name, "")) for name in names]
    return tuple(change for change in found if change.first != change.second)


def _circumstances(store: Store) -> Mapping[str, str]:
    """Versions, machine, source and weights, by name; of several sessions all that there were."""
    found: dict[str, dict[str, None]] = {}
    for session in store.sessions():
        told = {
            **session.get("environment", {}),
            "platform": session.get("invocation", {}).get("platform", ""),
            "source": session.get("source", {}),
            "weights": session.get("fingerprints", {}),
        }
        for name, text in _plain(told).items():
            found.setdefault(name, {})[text] = None
    return {name: " and ".join(texts) for name, texts in found.items()}


def _plain(told: Mapping[str, Any], within: str = "") -> dict[str, str]:
    """Nested values by their path, as text."""
    found: dict[str, str] = {}
    for name, value in told.items():
        if isinstance(value, Mapping):
            found |= _plain(value, f"{within}{name} ")
        else:
            listed = value if isinstance(value, list) else [value]
            found[f"{within}{name}"] = ", ".join(map(str, listed))
    return found
