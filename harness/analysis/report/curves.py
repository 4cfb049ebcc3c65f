"""Modularity and clusters of each method level by level, over images and over noise."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from harness.analysis.method import MethodKey, grouped
from harness.analysis.outcomes import Outcome
from harness.plugin.values import Floats
from harness.store import Store

# For each image, the means over the heads of a layer, repeats and draws. The images' own points
# have no control. What is grouped has one number, the first position, since there may be millions.
POINTS = """
WITH numbered AS (
    SELECT cell, min(position) OVER (
        PARTITION BY clusterer, graph, extractor, image_set, layer, control, image
    ) AS first
    FROM planned JOIN cells USING (cell)
    WHERE role IN ('observed', 'control') AND status = 'ok'
), means AS (
    SELECT first, point, avg(level) AS level, avg(modularity) AS modularity,
           avg(n_clusters) AS clusters, count(*) AS maps
    FROM numbered JOIN points USING (cell) GROUP BY first, point
)
SELECT clusterer, graph, extractor, image_set, layer, control, image, means.point,
       level, modularity, clusters, maps
FROM means JOIN planned ON planned.position = first
"""
# Percentiles between which a band lies.
BAND = (10, 90)


@dataclass(frozen=True, eq=False)
class Band:
    """A figure over images, level by level: its mean and percentiles, each (levels,).

    control: "" for the images themselves; maps: how many it is over, at the level with most.
    """

    control: str
    maps: int
    mean: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, eq=False)
class MethodCurves:
    """The curves of one method, whose selector is "", on one layer.

    levels: of the graph builder, as means over maps, (levels,); modularity, clusters: a band of the
    images, then one of each control; chosen: on how many maps a selector accepted each level.
    """

    method: MethodKey
    layer: int
    levels: Floats
    modularity: tuple[Band, ...]
    clusters: tuple[Band, ...]
    chosen: Mapping[str, Mapping[int, int]]


class _Mean(NamedTuple):
    """The figures of one image at one level."""

    control: str
    image: str
    point: int
    level: float
    modularity: float | None
    clusters: float
    maps: int


def method_curves(store: Store, found: Iterable[Outcome]) -> list[MethodCurves]:
    """The curves of a run's methods on every layer, as planned, given all its outcomes."""
    chosen: dict[tuple[MethodKey, int], dict[str, Counter[int]]] = {}
    for each in found:
        selected = chosen.setdefault((each.method._replace(selector=""), each.layer), {})
        if each.accepted and each.candidate is not None:
            selected.setdefault(each.method.selector, Counter())[each.candidate] += 1
    points: dict[tuple[MethodKey, int], list[_Mean]] = {}
    rows = store.connection.execute(POINTS)
    for clusterer, graph, extractor, image_set, layer, *figures in rows:
        method = MethodKey(clusterer, "", graph, extractor, image_set)
        points.setdefault((method, layer), []).append(_Mean(*figures))
    controls = ["", *store.controls()]
    return [
        _curves(*key, points[key], controls, selected)
        for key, selected in chosen.items()
        if key in points
    ]


def _curves(
    method: MethodKey,
    layer: int,
    points: Sequence[_Mean],
    controls: Sequence[str],
    chosen: Mapping[str, Mapping[int, int]],
) -> MethodCurves:
    count = 1 + max(each.point for each in points)
    by_control = grouped(points, lambda each: each.control)
    shown = [by_control[control] for control in controls if control in by_control]
    levels = _by_image(shown[0], "level", count)
    return MethodCurves(
        method,
        layer,
        # Images may have other levels than their controls only if their maps have other sizes.
        _mean(levels),
        tuple(_band(of_control, "modularity", count) for of_control in shown),
        tuple(_band(of_control, "clusters", count) for of_control in shown),
        chosen,
    )


def _band(points: Sequence[_Mean], name: str, count: int) -> Band:
    figures = _by_image(points, name, count)
    low, high = np.full((2, count), np.nan)
    known = ~np.isnan(figures).all(axis=0)
    low[known], high[known] = np.nanpercentile(figures[:, known], BAND, axis=0)
    maps = Counter[int]()
    for each in points:
        maps[each.point] += each.maps
    return Band(points[0].control, max(maps.values()), _mean(figures), low, high)


def _by_image(points: Sequence[_Mean], name: str, count: int) -> Floats:
    """A figure (images, levels), NaN where it is not known."""
    images = {image: row for row, image in enumerate(dict.fromkeys(each.image for each in points))}
    figures = np.full((len(images), count), np.nan)
    for each in points:
        value = getattr(each, name)
        figures[images[each.image], each.point] = np.nan if value is None else value
    return figures


def _mean(figures: Floats) -> Floats:
    """Means over images (levels,), NaN where no image has the figure."""
    known = ~np.isnan(figures)
    counts = known.sum(axis=0)
    means = np.full(len(counts), np.nan)
    np.divide(np.where(known, figures, 0.0).sum(axis=0), counts, out=means, where=counts > 0)
    return means
