"""Checks of what the methods of plugins return; errors name the method."""

import math
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar
from warnings import WarningMessage

import numpy as np
from numpy.typing import NDArray

from harness.errors import InvalidResultError
from harness.metrics.partition import check_labels, renumbered
from harness.plugin.graph import Graph
from harness.plugin.patches import described, lies_within
from harness.plugin.profile import Profile, Selection
from harness.plugin.values import AttentionMap, Floats, HeadIndex, Image, Integers, Variant

# Warnings of a point that are stored, and characters of each.
MOST_WARNINGS = 20
LONGEST_WARNING = 500
V = TypeVar("V")


def kind_of(value: Any, expected: type[V], what: str) -> V:
    """The value; raises InvalidResultError unless it has the expected type."""
    if not isinstance(value, expected):
        raise InvalidResultError(f"{what} returned {_a(value)}, not a harness.{expected.__name__}")
    return value


def drawn(returned: Any, observed: AttentionMap, what: str) -> AttentionMap:
    """A map with the drawn weights, and with all else from the map that it was drawn from."""
    found = kind_of(returned, AttentionMap, f"{what}: draw()")
    if found.weights.shape != observed.weights.shape:
        raise InvalidResultError(
            f"{what} drew {found.weights.shape} from a map of {observed.weights.shape}"
        )
    return replace(observed, weights=found.weights)


def keys(returned: Any, what: str) -> list[str]:
    """Keys of images or maps: at least one text, none twice."""
    if isinstance(returned, str) or not isinstance(returned, Sequence):
        raise InvalidResultError(f"{what}: keys() returned {_a(returned)}, not a list of strings")
    for key in returned:
        if not isinstance(key, str) or not key:
            raise InvalidResultError(f"{what}: keys() named {key!r}, which is not a string")
        if key != key.encode("utf-8", "replace").decode():
            raise InvalidResultError(f"{what}: keys() named {key!r}, which UTF-8 cannot encode")
    if len(set(returned)) < len(returned):
        twice = next(key for index, key in enumerate(returned) if key in returned[:index])
        raise InvalidResultError(f"{what}: keys() named {twice!r} twice")
    if not returned:
        raise InvalidResultError(f"{what}: keys() returned no keys")
    return list(returned)


def location(returned: Any, what: str) -> dict[str, Any]:
    """The image, layer and head of a map."""
    match returned:
        case (str(image), HeadIndex(layer=layer, head=head)):
            return {"image": image, "layer": layer, "head": head}
    raise InvalidResultError(
        f"{what}: locate() returned {returned!r}, not a name and a harness.HeadIndex"
    )


def head_indices(returned: Any, what: str) -> list[HeadIndex]:
    """Layers and heads: at least one, none twice."""
    if not isinstance(returned, Sequence) or not all(
        isinstance(head_index, HeadIndex) for head_index in returned
    ):
        raise InvalidResultError(
            f"{what}: head_indices() returned {returned!r}, not a list of harness.HeadIndex"
        )
    if not returned or len(set(returned)) < len(returned):
        raise InvalidResultError(
            f"{what}: head_indices() must name each head once, not {list(returned)}"
        )
    return list(returned)


class PendingMaps:
    """The maps that an extractor has yet to return for the images that it took."""

    def __init__(self, extractor: str, of_every_image: Sequence[HeadIndex]) -> None:
        self.extractor = extractor
        self.of_every_image = of_every_image
        self._items: dict[tuple[str, Variant], int] = {}
        self._sizes: dict[int, tuple[int, int]] = {}
        self._pending: dict[int, set[HeadIndex]] = {}

    def take(self, image: Image, item: int) -> None:
        """Register an image that the extractor takes as an item."""
        self._items[image.key, image.variant] = item
        height, width, _ = image.pixels.shape
        self._sizes[item] = height, width
        self._pending[item] = set(self.of_every_image)

    def item_of(self, returned: Any) -> tuple[AttentionMap, int]:
        """A pending map and its item; raises InvalidResultError for any other map."""
        attention = kind_of(returned, AttentionMap, f"{self.extractor}: extract()")
        item = self._items.get((attention.image, attention.variant))
        if item is None:
            if any(image == attention.image for image, _ in self._items):
                raise InvalidResultError(
                    f"{self.extractor} gave a map of {attention.image!r} that does not carry its "
                    "image's variant: AttentionMap(…, variant=image.variant)"
                )
            raise InvalidResultError(
                f"{self.extractor} gave a map of {attention.image!r}, an image it was not given"
            )
        if attention.head_index not in self._pending[item]:
            raise InvalidResultError(
                f"{self.extractor} gave {attention.image!r} a map for layer {attention.layer}, "
                f"head {attention.head} twice, or never named that head"
            )
        height, width = self._sizes[item]
        if attention.region is not None and not lies_within(attention.region, height, width):
            raise InvalidResultError(
                f"{self.extractor} gave {attention.image!r} a map of a region that is not within "
                f"its {height}×{width} pixels: {described(attention.region)}"
            )
        self._pending[item].remove(attention.head_index)
        return attention, item


def levels(returned: Any, count: int) -> Floats:
    """Finite levels (count,) in increasing order."""
    try:
        found = np.asarray(returned, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidResultError(f"levels() returned {_a(returned)}, not numbers") from error
    if found.shape != (count,) or not np.isfinite(found).all() or (np.diff(found) <= 0).any():
        raise InvalidResultError(f"levels() must return {count} increasing numbers, not {found}")
    return found


def graphs(returned: Any, expected: Floats, nodes: int) -> Iterator[Graph]:
    """Yield one graph for each level as it is built, at that level and with all nodes."""
    given = iter(returned) if hasattr(returned, "__iter__") else None
    if given is None:
        raise InvalidResultError(f"build() returned {_a(returned)}, not graphs")
    for level in expected.tolist():
        graph = next(given, None)
        if graph is None:
            raise InvalidResultError(f"build() gave no graph for level {level:g}")
        graph = kind_of(graph, Graph, "build()")
        if not math.isfinite(graph.threshold):
            raise InvalidResultError(f"build() gave a graph with the threshold {graph.threshold}")
        if graph.level != level or graph.n != nodes:
            raise InvalidResultError(
                f"build() gave a graph of {graph.n} nodes at level {graph.level:g} instead of "
                f"one of {nodes} nodes at level {level:g}"
            )
        yield graph
    if next(given, None) is not None:
        raise InvalidResultError(f"build() gave more than {len(expected)} graphs")


Edges = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


def edges(graph: Graph) -> Edges:
    """Copies of a graph's CSR arrays, which no component can change."""
    adjacency = graph.adjacency
    return adjacency.indptr.copy(), adjacency.indices.copy(), adjacency.data.copy()


def has_edges(graph: Graph, expected: Edges) -> bool:
    """Whether a graph has exactly these edges with these weights."""
    adjacency = graph.adjacency
    found = adjacency.indptr, adjacency.indices, adjacency.data
    return all(map(np.array_equal, found, expected))


def labels(returned: Any, nodes: int) -> Integers:
    """Labels (nodes,) from 0 to k − 1, or −1; raises InvalidLabelsError for anything else."""
    # Larger labels mean nothing more, and would not fit the store's 16 bits.
    return renumbered(check_labels(returned, nodes))


def warnings(caught: Iterable[WarningMessage]) -> tuple[str, ...]:
    """The texts of warnings, each once."""
    texts = dict.fromkeys(str(warning.message)[:LONGEST_WARNING] for warning in caught)
    return tuple(texts)[:MOST_WARNINGS]


def diagnostics(returned: Any) -> dict[str, float]:
    """Diagnostics as floats by name."""
    if not isinstance(returned, Mapping):
        raise InvalidResultError(
            f"diagnostics are {_a(returned)}, not a mapping of names to numbers"
        )
    found = {}
    for name, value in returned.items():
        try:
            found[str(name)] = float(value)
        except (TypeError, ValueError) as error:
            raise InvalidResultError(
                f"the diagnostic {name!r} is {value!r}, not a number"
            ) from error
    return found


def selection(returned: Any, observed: Profile, what: str) -> Selection:
    """A selection that is valid for its profile."""
    chosen = kind_of(returned, Selection, f"{what}: select()")
    plateau = chosen.plateau
    try:
        candidate = operator.index(chosen.candidate)
        within = None if plateau is None else tuple(operator.index(end) for end in plateau)
        statistic = float(chosen.statistic)
    except TypeError as error:
        raise InvalidResultError(f"{what}: {chosen} holds a value that is not a number") from error
    if not isinstance(chosen.accepted, bool | np.bool_) or not isinstance(chosen.reason, str):
        raise InvalidResultError(f"{what}: accepted must be a bool and reason a string in {chosen}")
    if not 0 <= candidate < len(observed):
        raise InvalidResultError(f"{what}: chose level {candidate} of 0 … {len(observed) - 1}")
    if within is not None and not (
        len(within) == 2 and 0 <= within[0] <= candidate <= within[1] < len(observed)
    ):
        raise InvalidResultError(
            f"{what}: the plateau {plateau} does not contain the level {candidate}"
        )
    if chosen.accepted and not math.isfinite(statistic):
        raise InvalidResultError(f"{what}: accepted a level with the statistic {statistic}")
    ends = None if within is None else (within[0], within[1])
    return Selection(candidate, statistic, bool(chosen.accepted), ends, chosen.reason)


def _a(value: Any) -> str:
    return "None" if value is None else f"a {type(value).__name__}"
