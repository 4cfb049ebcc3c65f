"""What a report draws: curves over levels, effects, p values, and layers and heads."""

from collections.abc import Iterable, Sequence
from typing import Any

from harness.analysis.columns import heading_of
from harness.analysis.layers import HeadRow, LayerRow
from harness.analysis.method import grouped
from harness.analysis.report.contents import RunReport
from harness.analysis.report.curves import Band, MethodCurves
from harness.analysis.report.effects import MethodEffects, MethodTests
from harness.views.report.values import Labels, drawn, shown

Json = dict[str, Any]
# Figures of heads, and those of layers with their intervals.
OF_HEADS = ("effect", "modularity", "significant_fraction", "jaccard", "n_clusters")
OF_LAYERS = ("effect", "modularity", "jaccard", "n_clusters")
HEADINGS = {"significant_fraction": "significant", "n_clusters": "clusters"}
INTERVAL = "95 % interval over images"


def curves(report: RunReport, labels: Labels) -> list[Json]:
    """The curves of every method, layer by layer if there are several."""
    several = len({each.layer for each in report.curves}) > 1
    return [_curves(each, labels, several=several) for each in report.curves]


def _curves(found: MethodCurves, labels: Labels, *, several: bool) -> Json:
    layer = {"layer": found.layer} if several else {}
    return {
        "method": labels.method(found.method, **layer),
        "levels": drawn(found.levels),
        "modularity": [_series(band, labels) for band in found.modularity],
        "clusters": [_series(band, labels) for band in found.clusters],
        "chosen": [
            {"selector": labels(selector), "level": shown(found.levels[point]), "count": count}
            for selector, counts in found.chosen.items()
            for point, count in sorted(counts.items())
        ],
    }


def _series(band: Band, labels: Labels) -> Json:
    return {
        "label": labels(band.control) if band.control else "images",
        "control": bool(band.control),
        "n": band.maps,
        "mean": drawn(band.mean),
        "low": drawn(band.low),
        "high": drawn(band.high),
    }


def effects(found: Iterable[MethodEffects], labels: Labels) -> list[Json]:
    """Every method's effect with its interval, and those of its images."""
    return [
        {
            "method": labels.method(each.method),
            "figure": "effect" if each.is_effect else "modularity",
            **{name: shown(getattr(each, name)) for name in ("effect", "low", "high")},
            "images": [[image, shown(effect)] for image, effect in each.images],
            **({"omitted": each.omitted} if each.omitted else {}),
        }
        for each in found
    ]


def p_values(found: Iterable[MethodTests], labels: Labels) -> list[Json]:
    """The p values of every method under every control."""
    return [
        {
            "method": labels.method(each.method),
            "control": labels(each.control),
            "n": each.tests,
            "values": drawn(each.values),
            "smallest": shown(each.smallest),
        }
        for each in found
    ]


def layers(runs: Sequence[tuple[Labels, RunReport]]) -> Json | None:
    """Every method by layer and head, None if no run has several."""
    heads = [(labels, row) for labels, report in runs for row in report.heads]
    depths = [(labels, row) for labels, report in runs for row in report.layers]
    if not heads:
        return None
    layers = sorted({row.layer for _, row in heads})
    numbers = sorted({row.head for _, row in heads})
    made = [
        figure
        for rows in grouped(heads, lambda pair: (pair[0].run, pair[1].method)).values()
        for name in OF_HEADS
        if (figure := _heat_map(name, rows, layers, numbers)) is not None
    ]
    curves = [
        figure
        for rows in grouped(depths, lambda pair: (pair[0].run, pair[1].method)).values()
        for name in OF_LAYERS
        if (figure := _depth(name, rows, layers)) is not None
    ]
    return {"layers": layers, "heads": numbers, "figures": made, "depth": curves}


def _heat_map(
    name: str, rows: Sequence[tuple[Labels, HeadRow]], layers: Sequence[int], heads: Sequence[int]
) -> Json | None:
    known = {(row.layer, row.head): shown(getattr(row, name)) for _, row in rows}
    if all(value is None for value in known.values()):
        return None
    values = [[known.get((layer, head)) for head in heads] for layer in layers]
    return {**_named(name, rows), "values": values}


def _depth(
    name: str, rows: Sequence[tuple[Labels, LayerRow]], layers: Sequence[int]
) -> Json | None:
    by_layer = {row.layer: row for _, row in rows}
    if all(getattr(row, name) is None for _, row in rows):
        return None
    figures: list[tuple[float | None, ...]] = [
        _bounded(name, by_layer[layer]) if layer in by_layer else (None,) * 3 for layer in layers
    ]
    mean, low, high = (drawn(figure) for figure in zip(*figures, strict=True))
    return {**_named(name, rows), "mean": mean, "low": low, "high": high, "band": INTERVAL}


def _bounded(name: str, row: LayerRow) -> tuple[float | None, ...]:
    """A figure of a layer with the ends of its interval."""
    if name == "effect":
        return row.effect, row.effect_low, row.effect_high
    return getattr(row, name), *(row.intervals.get(f"{name}_{end}") for end in ("low", "high"))


def _named(name: str, rows: Sequence[tuple[Labels, Any]]) -> Json:
    labels, first = rows[0]
    heading = HEADINGS.get(name, heading_of(name))
    return {"name": name, "heading": heading, "method": labels.method(first.method)}
