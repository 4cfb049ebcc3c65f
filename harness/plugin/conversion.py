"""Bare arrays as the values that components take."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.plugin.graph import Graph
from harness.plugin.values import AttentionMap, Image

Conversions = Mapping[str, Callable[[Any], Any]]


def as_image(value: Image | NDArray[Any]) -> Image:
    """Return an image unchanged, and pixels (height, width[, channels]) as an unnamed image."""
    if isinstance(value, Image):
        return value
    pixels = np.asarray(value)
    return Image(key="", pixels=pixels[:, :, None] if pixels.ndim == 2 else pixels)


as_images = functools.partial(map, as_image)


def as_attention(value: AttentionMap | NDArray[Any]) -> AttentionMap:
    """Return a map unchanged, and weights (n, n) as an unnamed map."""
    return value if isinstance(value, AttentionMap) else AttentionMap(np.asarray(value))


def as_graph(value: Graph | NDArray[Any]) -> Graph:
    """Return a graph, or that of the positive ones of weights (n, n), at a safe scale."""
    if not isinstance(value, Graph):
        # AttentionMap checks the weights.
        value = Graph.from_weights(AttentionMap(np.asarray(value, dtype=np.float64)).weights)
    return value.at_safe_scale()


def converting(method: Callable[..., Any], convert: Callable[[Any], Any]) -> Callable[..., Any]:
    """The method, with its first argument converted."""

    @functools.wraps(method)
    def converted(self: Any, value: Any, *arguments: Any, **keywords: Any) -> Any:
        return method(self, convert(value), *arguments, **keywords)

    return converted
