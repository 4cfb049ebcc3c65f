"""Layers, heads and what is alike between them as tidy rows: one observation a row."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.analysis.layers import MethodLayers, flat_row
from harness.analysis.method import MethodKey
from harness.analysis.similarity import Similarity
from harness.store import none_for_nan

Rows = list[dict[str, Any]]


def tables(methods: Sequence[MethodLayers]) -> Mapping[str, Rows]:
    """The rows of all methods, by what they are of: layers, heads, similarity."""
    return {
        "layers": [row for method in methods for row in _layers(method)],
        "heads": [row for method in methods for row in _heads(method)],
        "similarity": [row for method in methods for row in _similarity(method)],
    }


def document(methods: Sequence[MethodLayers]) -> list[dict[str, Any]]:
    """Every method with its rows, for JSON."""
    return [
        {
            **method.method._asdict(),
            "compared": method.compared,
            "trivial": method.trivial,
            "image_pairs": method.image_pairs,
            "layers": _without_method(_layers(method)),
            "heads": _without_method(_heads(method)),
            "similarity": _without_method(_similarity(method)),
        }
        for method in methods
    ]


def _without_method(rows: Rows) -> Rows:
    return [{name: row[name] for name in row if name not in MethodKey._fields} for row in rows]


def _layers(method: MethodLayers) -> Rows:
    return [flat_row(row) for row in method.layers]


def _heads(method: MethodLayers) -> Rows:
    """Each head's figures, and how alike its own clusters are on different images."""
    return [
        {
            **flat_row(row),
            **{
                f"{each.measure.lower()}_across_images": _number(each.heads_elsewhere[at, at])
                for each in method.similarities
            },
        }
        for at, row in enumerate(method.heads)
    ]


def _similarity(method: MethodLayers) -> Rows:
    """Every two layers, a layer and itself among them, and every two heads."""
    identity = method.method._asdict()
    return [
        {**identity, "measure": each.measure, **row}
        for each in method.similarities
        for rows in (_between_layers(method, each), _between_heads(method, each))
        for row in rows
    ]


def _between_layers(method: MethodLayers, of: Similarity) -> Iterator[dict[str, Any]]:
    layers = [row.layer for row in method.layers]
    for one, other in zip(*np.triu_indices(len(layers)), strict=True):
        yield {
            "between": "layers",
            "layer": layers[one],
            "head": None,
            "other_layer": layers[other],
            "other_head": None,
            "similarity": _number(of.layers[one, other]),
            "low": _number(of.low[one, other]),
            "high": _number(of.high[one, other]),
            "images": int(of.layer_images[one, other]),
            "across_images": _number(of.layers_elsewhere[one, other]),
        }


def _between_heads(method: MethodLayers, of: Similarity) -> Iterator[dict[str, Any]]:
    heads = method.heads
    for one, other in zip(*np.triu_indices(len(heads), 1), strict=True):
        yield {
            "between": "heads",
            "layer": heads[one].layer,
            "head": heads[one].head,
            "other_layer": heads[other].layer,
            "other_head": heads[other].head,
            "similarity": _number(of.heads[one, other]),
            "low": None,
            "high": None,
            "images": int(of.head_images[one, other]),
            "across_images": _number(of.heads_elsewhere[one, other]),
        }


def _number(value: float) -> float | None:
    return none_for_nan(float(value))
