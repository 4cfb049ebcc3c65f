"""How a model's attention clusters by depth: every method on every layer and every head."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from harness.analysis.leaderboard import (
    METHOD,
    Row,
    RowMaker,
    column_types,
    flattened,
    row_maker,
    tied,
)
from harness.analysis.method import MethodKey, flat_types, grouped
from harness.analysis.outcomes import Outcome, outcomes
from harness.analysis.partitions import matching_specs
from harness.analysis.similarity import Similarity, similarities
from harness.errors import HarnessError
from harness.metrics.inference import bootstrap_intervals
from harness.planning.progress import SILENT, Progress
from harness.store import Store, none_for_nan

# The columns of the leaderboard that compare methods, or are tables themselves.
OF_LEADERBOARD = ("rank", "tier", "mean_rank", "controls")
# Which maps a row is of.
WHERE = ("layer", "head", "heads")
# The figures of a layer that have intervals of their own.
BOUNDED = ("modularity", "n_clusters", "jaccard")
Bounds = Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True)
class HeadRow(Row):
    """A method's figures over the maps of one head, as in the leaderboard but without ranks."""

    layer: int
    head: int


@dataclass(frozen=True, kw_only=True)
class LayerRow(Row):
    """A method's figures over the maps of all heads of a layer, as in the leaderboard.

    intervals: those of modularity, n_clusters and jaccard, such as `jaccard_low`. They, and that of
    effect, are over images with all their heads, which are not independent; that of effect uses
    only images on which every head has a result.
    """

    layer: int
    heads: int
    intervals: Bounds


def flat_row(row: HeadRow | LayerRow) -> dict[str, Any]:
    """The row as columns: its layer and head, the figures, intervals and fractions of maps."""
    flat = flattened(row)
    intervals = flat.pop("intervals", {})
    where = {name: flat.pop(name) for name in WHERE if name in flat}
    return {
        **where,
        **{name: value for name, value in flat.items() if name not in OF_LEADERBOARD},
        **intervals,
        "accepted_fraction": row.accepted_fraction,
        "significant_fraction": row.significant_fraction,
    }


def flat_row_types(
    owner: type[HeadRow] | type[LayerRow], rows: Sequence[HeadRow] | Sequence[LayerRow]
) -> dict[str, Any]:
    """The type of each value of `flat_row` of some rows, by name."""
    types = {**flat_types(owner), **column_types(rows)}
    bounds = [f"{name}_{end}" for name in BOUNDED for end in ("low", "high")]
    left_out = (*OF_LEADERBOARD, "intervals", "scores")
    more = (*(bounds if "heads" in types else ()), "accepted_fraction", "significant_fraction")
    return {
        **{name: types[name] for name in WHERE if name in types},
        **{name: types[name] for name in types if name not in left_out},
        **dict.fromkeys(more, float),
    }


def by_head(store: Store, progress: Progress = SILENT) -> list[HeadRow]:
    """A row for each method and head of a run: methods as planned, the best heads of each first."""
    return head_rows(store, outcomes(store, progress), progress)


def head_rows(store: Store, found: Iterable[Outcome], progress: Progress = SILENT) -> list[HeadRow]:
    """As `by_head`, given all outcomes of the run."""
    methods, make_row = grouped(found, METHOD), row_maker(store)
    each = progress.track("estimating means", methods.values())
    rows = (_best_first(_head_rows(of_method, make_row)) for of_method in each)
    return list(chain.from_iterable(rows))


def _best_first(rows: Sequence[HeadRow]) -> list[HeadRow]:
    keys = [(score is None, -(score or 0.0)) for score in tied([row.score for row in rows])]
    return [row for _, row in sorted(zip(keys, rows, strict=True), key=itemgetter(0))]


def by_layer(store: Store, progress: Progress = SILENT) -> list[LayerRow]:
    """A row for each method and layer of a run: methods as planned, layers by their depth."""
    return layer_rows(store, outcomes(store, progress), progress)


def layer_rows(
    store: Store, found: Iterable[Outcome], progress: Progress = SILENT
) -> list[LayerRow]:
    """As `by_layer`, given all outcomes of the run."""
    methods, make_row = grouped(found, METHOD), row_maker(store)
    each = progress.track("estimating means", methods.values())
    return [row for of_method in each for row in _layer_rows(of_method, make_row)]


def _head_rows(of_method: Iterable[Outcome], make_row: RowMaker) -> list[HeadRow]:
    heads = grouped(of_method, lambda each: (each.layer, each.head))
    return [
        HeadRow(**vars(make_row(found)), layer=layer, head=head)
        for (layer, head), found in sorted(heads.items())
    ]


def _layer_rows(of_method: Iterable[Outcome], make_row: RowMaker) -> list[LayerRow]:
    rows = []
    for layer, found in sorted(grouped(of_method, lambda each: each.layer).items()):
        heads, ok = len({each.head for each in found}), [each for each in found if each.ok]
        accepted = [each for each in ok if each.accepted]
        over = dict(zip(BOUNDED, (ok, accepted, accepted), strict=True))
        bounds = {end: at for name, maps in over.items() for end, at in _bounds(maps, name).items()}
        figures = vars(make_row(found))
        rows.append(LayerRow(**figures, layer=layer, heads=heads, intervals=bounds))
    return rows


def _bounds(found: Iterable[Outcome], name: str) -> Bounds:
    """The bootstrap interval over images of the mean of a figure over maps."""
    of_images = grouped(found, lambda each: each.image).values()
    values = [
        [value for one in of if (value := getattr(one, name)) is not None] for of in of_images
    ]
    sums = np.array([[sum(each)] for each in values if each], np.float64)
    counts = np.array([[len(each)] for each in values if each], np.float64)
    (low,), (high,) = bootstrap_intervals(sums.reshape(-1, 1), counts.reshape(-1, 1))
    return {f"{name}_low": none_for_nan(float(low)), f"{name}_high": none_for_nan(float(high))}


@dataclass(frozen=True, eq=False)
class MethodLayers:
    """One method by layer and head.

    layers: by depth; heads: by layer and head, the order of the heads in `similarities`, which
    has one per measure. compared: accepted partitions that are not trivial; trivial: accepted ones
    with at most one cluster, which cannot be compared; image_pairs: how many pairs of different
    images were compared.
    """

    method: MethodKey
    layers: tuple[LayerRow, ...]
    heads: tuple[HeadRow, ...]
    similarities: tuple[Similarity, ...]
    compared: int
    trivial: int
    image_pairs: int


def layers(
    store: Store, clusterers: Sequence[str] = (), progress: Progress = SILENT
) -> list[MethodLayers]:
    """Every method of a run by layer and head, as planned; clusterers are specs or names.

    Raises HarnessError if the run has no such clusterer, or one layer and head only.
    """
    methods = grouped(outcomes(store, progress), METHOD)
    wanted = matching_specs("clusterer", clusterers, [key.clusterer for key in methods])
    if len({(each.layer, each.head) for found in methods.values() for each in found}) < 2:
        raise HarnessError(
            f"{store.folder}: the run has one layer and head only, and nothing to compare them "
            "with; run an extractor with more of them"
        )
    make_row = row_maker(store)
    return [
        _method(store, method, found, make_row, progress)
        for method, found in methods.items()
        if method.clusterer in wanted
    ]


def _method(
    store: Store,
    method: MethodKey,
    found: Sequence[Outcome],
    make_row: RowMaker,
    progress: Progress,
) -> MethodLayers:
    heads = _head_rows(found, make_row)
    layer_rows = _layer_rows(found, make_row)
    numbers = {(row.layer, row.head): number for number, row in enumerate(heads)}
    depths = {row.layer: depth for depth, row in enumerate(layer_rows)}
    accepted = [
        # Two bytes per label, as in the store, since there may be very many.
        (each, store.labels_at(each.cell, each.candidate).astype(np.int16))
        for each in found
        if each.accepted and not each.reason and each.candidate is not None
    ]
    # Only partitions of equally many nodes can be compared, and builders may choose levels by that.
    comparable = grouped(accepted, lambda pair: (len(pair[1]), pair[0].repeat))
    repeats = [
        [(each.image, numbers[each.layer, each.head], labels) for each, labels in pairs]
        for _, pairs in sorted(comparable.items(), key=lambda item: item[0])
    ]
    of_heads = np.array([depths[row.layer] for row in heads])
    alike, trivial, image_pairs = similarities(repeats, of_heads, progress)
    compared = len(accepted) - trivial
    return MethodLayers(
        method, tuple(layer_rows), tuple(heads), alike, compared, trivial, image_pairs
    )
